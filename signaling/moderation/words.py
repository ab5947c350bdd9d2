"""Finding unwanted words in a text, however they are written. Pure.

A text is folded character by character, so that every place found points back into the original:
NFC first, then NFKC (full width, ligatures, styled letters) and case folding of each character;
what is invisible or a stacked mark is dropped. Then a trie is walked from every character: the
work is bounded by the length of the text times that of the longest word, whatever the words are.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

MASK = "*"
SCRIPTS = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO")
"""Written without spaces: a word has no edges there."""
_END = ""

Trie = dict[str, "Trie"]
"""By letter; `_END` where a word ends."""


class Place(NamedTuple):
    """A word found: characters [start, end) of the NFC text."""

    start: int
    end: int


class _Letter(NamedTuple):
    letter: str
    at: int


class Words:
    """Compiled once for an app's list."""

    def __init__(self, words: Iterable[str], match: Literal["word", "substring"] = "word") -> None:
        self._inside = match == "substring"
        self._spaced: Trie = {}
        self._dense: Trie = {}
        for word in words:
            normal = unicodedata.normalize("NFC", word.strip())
            letters = [one.letter for one in _folded(normal)]
            if any(map(_dense, letters)):
                _plant(self._dense, [letter for letter in letters if letter.isalnum()])
            else:
                _plant(self._spaced, letters)

    def find(self, text: str) -> list[Place]:
        """Where they are in a text that is NFC, in order, not overlapping."""
        letters = list(_folded(text))
        found = [*self._standing(letters), *self._anywhere(letters)]
        return _apart(found)

    def mask(self, text: str) -> str | None:
        """The text with stars, or None when there is nothing to hide."""
        normal = unicodedata.normalize("NFC", text)
        places = self.find(normal)
        if not places:
            return None
        parts, last = [], 0
        for place in places:
            parts += [normal[last : place.start], MASK * (place.end - place.start)]
            last = place.end
        return "".join([*parts, normal[last:]])

    def _standing(self, letters: list[_Letter]) -> Iterator[Place]:
        """Words with edges."""
        for start in range(len(letters)):
            if not self._inside and start and _joins(letters[start - 1], letters[start]):
                continue
            for end in _walk(self._spaced, letters, start):
                last = letters[end - 1]
                open_end = end < len(letters) and _joins(last, letters[end])
                if self._inside or not open_end:
                    yield Place(letters[start].at, last.at + 1)

    def _anywhere(self, letters: list[_Letter]) -> Iterator[Place]:
        """Words of scripts without spaces, whatever signs are put between."""
        if not self._dense:
            return
        bare = [one for one in letters if one.letter.isalnum()]
        for start in range(len(bare)):
            for end in _walk(self._dense, bare, start):
                yield Place(bare[start].at, bare[end - 1].at + 1)


def _folded(text: str) -> Iterator[_Letter]:
    for at, character in enumerate(text):
        for letter in unicodedata.normalize("NFKC", character).casefold():
            kind = unicodedata.category(letter)
            if kind not in ("Cf", "Mn", "Me", "Cc") or letter in "\n\t":
                yield _Letter(" " if letter.isspace() else letter, at)


def _dense(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(SCRIPTS)


def _joins(one: _Letter, other: _Letter) -> bool:
    """Whether a word goes on from one to the other."""
    both = one.letter.isalnum() and other.letter.isalnum()
    return both and not _dense(one.letter) and not _dense(other.letter)


def _plant(trie: Trie, letters: Iterable[str]) -> None:
    empty = True
    for letter in letters:
        trie = trie.setdefault(letter, {})
        empty = False
    if not empty:
        trie[_END] = {}


def _walk(trie: Trie, letters: list[_Letter], start: int) -> Iterator[int]:
    """Ends of the words that begin at `start`."""
    for index in range(start, len(letters)):
        following = trie.get(letters[index].letter)
        if following is None:
            return
        trie = following
        if _END in trie:
            yield index + 1


def _apart(found: list[Place]) -> list[Place]:
    """Overlapping places as one."""
    merged: list[Place] = []
    for place in sorted(found):
        if merged and place.start < merged[-1].end:
            merged[-1] = Place(merged[-1].start, max(place.end, merged[-1].end))
        else:
            merged.append(place)
    return merged

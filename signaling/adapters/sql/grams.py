"""What a text is indexed by: short pieces of its words, under the app they belong to. Pure.

Each piece is hashed together with its app, so an index holds every app's pieces apart and a query
touches none of another's. Two pieces with one hash do no harm: what the index finds is compared
with the words themselves. Changing anything here takes a migration that builds the index anew.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice

GRAM = 3
"""Characters of a piece: every word of three and more is found from its middle too."""
DENSE = 0x2E80
"""From here on (CJK, kana, hangul, emoji) one or two characters are a word: they have pieces."""
TOKENS_MAX = 30_000
"""Of one text; PostgreSQL takes a megabyte. What a very long text says further on is not found."""
ASKED_MAX = 32
"""Pieces asked for in one query; more do not narrow it."""
TOKEN_BYTES = 6
WORD_MAX = 32
"""Longer ones are seldom said twice."""
KNOWN_WORDS = 16_384
"""Of short words the tokens are kept, some 15 MB: what people write is made of a few thousand, and
making them anew takes a hundred times as long as finding them.
"""


def folded(text: str) -> str:
    """As texts and queries are compared: width, styled letters and case make no difference."""
    return unicodedata.normalize("NFKC", text).casefold()


def words_of(query: str) -> list[str]:
    """Each must be in a text, in any order, anywhere."""
    return list(dict.fromkeys(folded(query).split()))


def text_tokens(app: str, conversation: str, text: str) -> list[str]:
    """What a folded text is found by."""
    found: dict[str, None] = {}
    for word in text.split():
        if len(found) >= TOKENS_MAX:
            break
        known = _known_tokens if len(word) <= WORD_MAX else _word_tokens
        found.update(known(app, word))
    return [place_token(app), place_token(app, conversation), *islice(found, TOKENS_MAX)]


def query_tokens(app: str, words: list[str]) -> list[str]:
    """All of them are in the index of a text that has these words; none for a few short letters."""
    found = dict.fromkeys(gram for word in words for gram in _asked(word))
    return [_token(app, gram) for gram, _ in zip(found, range(ASKED_MAX), strict=False)]


@lru_cache(maxsize=4096)
def place_token(app: str, conversation: str = "") -> str:
    """What every text of an app, or of one conversation, is found by."""
    return _token(app, f"in {conversation}")


def _word_tokens(app: str, word: str) -> dict[str, None]:
    return dict.fromkeys(_token(app, gram) for gram in _grams(word))


_known_tokens = lru_cache(maxsize=KNOWN_WORDS)(_word_tokens)


def _grams(word: str) -> Iterable[str]:
    return _dense_grams(word) if ord(max(word)) >= DENSE else _plain_grams(word)


def _plain_grams(word: str) -> list[str]:
    return [word[at : at + GRAM] for at in range(len(word) - GRAM + 1)]


def _dense_grams(word: str) -> Iterator[str]:
    for at, letter in enumerate(word):
        dense = ord(letter) >= DENSE
        if dense:
            yield letter
        pair = word[at : at + 2]
        if len(pair) == 2 and (dense or ord(pair[1]) >= DENSE):
            yield pair
        if at + GRAM <= len(word):
            yield word[at : at + GRAM]


def _asked(word: str) -> list[str]:
    if len(word) >= GRAM:
        return _plain_grams(word)
    return [word] if any(ord(letter) >= DENSE for letter in word) else []


def _token(app: str, gram: str) -> str:
    hashed = _of_app(app).copy()
    hashed.update(gram.encode())
    return hashed.hexdigest()


@lru_cache(maxsize=1024)
def _of_app(app: str) -> "hashlib.blake2b":
    key = hashlib.blake2b(app.encode(), digest_size=16).digest()
    return hashlib.blake2b(key=key, digest_size=TOKEN_BYTES)

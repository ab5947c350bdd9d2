"""What texts are indexed by does not change without a migration."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from signaling.adapters.sql import grams

APP = "acme"
WORDS = st.lists(st.text("abcé日本😀", min_size=1, max_size=40), max_size=12)


def plain(text: str) -> set[str]:
    """Of one text, piece by piece, without anything kept."""
    found = {f"in {place}" for place in ("", "c_1")}
    for word in text.split():
        found |= {word[at : at + grams.GRAM] for at in range(len(word) - grams.GRAM + 1)}
        for at, letter in enumerate(word):
            pair = word[at : at + 2]
            dense = [ord(one) >= grams.DENSE for one in pair]
            found |= {letter} if dense[0] else set()
            found |= {pair} if len(pair) == 2 and any(dense) else set()
    key = hashlib.blake2b(APP.encode(), digest_size=16).digest()
    size = grams.TOKEN_BYTES
    return {hashlib.blake2b(one.encode(), key=key, digest_size=size).hexdigest() for one in found}


@given(WORDS)
def test_a_text_has_a_token_for_every_piece_of_its_words(words: list[str]) -> None:
    text = " ".join(words)
    tokens = grams.text_tokens(APP, "c_1", text)
    assert set(tokens) == plain(text)
    assert len(tokens) == len(set(tokens))


def test_a_very_long_text_has_so_many_tokens_and_no_more() -> None:
    text = " ".join(f"{n:06}" for n in range(20_000))
    assert len(grams.text_tokens(APP, "c_1", text)) <= grams.TOKENS_MAX + 2

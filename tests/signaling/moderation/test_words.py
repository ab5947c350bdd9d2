"""Unwanted words, however they are written."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.moderation.words import Words


@pytest.mark.parametrize(
    ("words", "text", "masked"),
    [
        (["bad"], "this is bad.", "this is ***."),
        (["bad"], "BAD Bad bAd", "*** *** ***"),
        (["bad"], "badger and sinbad", None),
        (["bad"], "bad_word", "***_word"),
        (["bad"], "ｂａｄ", "***"),
        (["bad"], "𝐛𝐚𝐝", "***"),
        (["bad"], "b\u200ba\u00add!", "*****!"),
        (["bad"], "b\u0336a\u0336d\u0336", "*****\u0336"),
        (["bad"], "a bad法", "a ***法"),
        (["straße"], "STRASSE", "*******"),
        (["café"], "cafe\u0301", "****"),
        (["very bad"], "very\tbad very  bad", "******** very  bad"),
        (["坏蛋"], "你是坏蛋吗", "你是**吗"),
        (["坏蛋"], "坏 蛋 坏-蛋 坏\u200b蛋", "*** *** ***"),
        (["坏蛋"], "坏人和蛋", None),
        (["微信abc"], "加微 信ＡＢＣ吧", "加******吧"),
        (["ばか"], "おばかさん", "お**さん"),
        (["나쁜"], "나쁜놈", "**놈"),
        (["bad", "bad word"], "a bad word", "a ********"),
        ([], "bad", None),
        ([" ", "\u200b"], "a b", None),
        (["("], "f(x)", "f*x)"),
        ([".*"], "anything", None),
    ],
)
def test_words_are_found_and_masked(words: list[str], text: str, masked: str | None) -> None:
    assert Words(words).mask(text) == masked


def test_substrings_are_found_inside_words() -> None:
    assert Words(["bad"], "substring").mask("a badger, 3bad5") == "a ***ger, 3***5"


@given(st.text(max_size=60), st.lists(st.text(min_size=1, max_size=5), max_size=4))
def test_masking_keeps_the_length_and_everything_else(text: str, words: list[str]) -> None:
    normal = unicodedata.normalize("NFC", text)
    masked = Words(words, "substring").mask(text)
    if masked is not None:
        assert len(masked) == len(normal)
        assert all(new in (old, "*") for new, old in zip(masked, normal, strict=True))


def test_a_long_text_of_near_misses_stays_cheap() -> None:
    words = Words(["a" * 63 + "b"] * 10, "substring")
    assert words.find("a" * 10_000) == []

"""Fragments of PATCH: only ValueError may escape."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from media.whip.fragment import answer_fragment, read_fragment, ufrag_of, with_credentials
from tests.captures import sdp

OFFER, ANSWER = sdp("chromium_simulcast"), sdp("chromium_answer")
GOOD = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"


@given(st.text(max_size=200), st.integers(0, len(GOOD)))
def test_any_fragment(text: str, cut: int) -> None:
    for body in (text, GOOD + text, GOOD[:cut] + text + GOOD[cut:]):
        with suppress(ValueError):
            fragment = read_fragment(body)
            assert ufrag_of(with_credentials(OFFER, fragment)) == fragment.ufrag


def test_an_answers_fragment_reads_back() -> None:
    fragment = read_fragment(answer_fragment(ANSWER))
    assert fragment.ufrag == ufrag_of(ANSWER)

"""Range and Content-Range as values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.http.ranges import Unsatisfiable, carried, none_match, wanted

SIZES = st.integers(0, 50)


@given(SIZES, st.integers(0, 60), st.integers(0, 60))
def test_a_range_is_what_slicing_gives(size: int, first: int, last: int) -> None:
    everything = range(size)
    for header, expected in (
        (f"bytes={first}-{last}", everything[first : last + 1]),
        (f"bytes={first}-", everything[first:]),
        (f"bytes=-{last}", everything[max(0, size - last) :]),
    ):
        if "=-" not in header and header[-1] != "-" and last < first:
            assert wanted(header, size) is None
            continue
        try:
            span = wanted(header, size)
        except Unsatisfiable:
            assert not expected
        else:
            assert span is not None
            assert everything[span.start : span.end] == expected
            assert 0 <= span.start < span.end <= size


@given(st.text(max_size=30), SIZES)
def test_any_text_gives_a_span_or_none_or_unsatisfiable(text: str, size: int) -> None:
    for header in (text, f"bytes={text}", f"bytes {text}"):
        try:
            span = wanted(header, size)
        except Unsatisfiable:
            continue
        assert span is None or 0 <= span.start < span.end <= size


@given(st.text(max_size=30))
def test_any_content_range_gives_a_piece_or_value_error(text: str) -> None:
    for header in (text, f"bytes {text}"):
        try:
            piece = carried(header)
        except ValueError:
            continue
        assert piece.start is None or 0 <= piece.start < piece.end <= piece.size


def test_content_ranges() -> None:
    assert carried("bytes 0-0/1") == (0, 1, 1)
    assert carried("bytes */7") == (None, 0, 7)
    for lie in ("bytes 5-4/9", "bytes 0-9/9", "bytes */*", "bytes 0-1/*", "bytes=0-1/2", ""):
        with pytest.raises(ValueError):
            carried(lie)


def test_tags() -> None:
    assert none_match('"a", W/"b"', '"b"')
    assert none_match("*", '"b"')
    assert not none_match('"a"', '"b"')
    assert not none_match(None, '"b"')

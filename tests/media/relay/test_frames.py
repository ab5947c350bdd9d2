"""Chunks and relayed messages: there and back, and nothing but ValueError for bad bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.relay import frames


@given(st.integers(0, 2**62), st.binary(min_size=1, max_size=300))
def test_a_chunk_comes_back(offset: int, data: bytes) -> None:
    assert frames.parse_chunk(frames.pack_chunk(offset, data)) == (offset, data)


@given(st.binary(max_size=40))
def test_only_value_error_escapes_the_parsers(message: bytes) -> None:
    for parse in (frames.parse_chunk, frames.parse_message):
        try:
            parse(message)
        except ValueError:
            continue


@pytest.mark.parametrize(
    "message", [b"", b"1234567", b"12345678", b"\xff" * 9, bytes(frames.CHUNK_MAX_BYTES + 9)]
)
def test_what_is_no_chunk_is_refused(message: bytes) -> None:
    with pytest.raises(ValueError):
        frames.parse_chunk(message)


@given(st.text(max_size=60).filter(lambda text: len(text.encode()) < 256), st.binary(max_size=99))
def test_a_message_comes_back(participant: str, payload: bytes) -> None:
    assert frames.parse_message(frames.pack_message(participant, payload)) == (participant, payload)


@pytest.mark.parametrize(
    ("label", "file"),
    [
        ("file:f_0192", "f_0192"),
        ("file:", None),
        ("file", None),
        ("data", None),
        ("file:../x", None),
        ("file:f\u0661", None),
        ("file:" + "x" * 65, None),
        ("filefile:x", None),
    ],
)
def test_labels(label: str, file: str | None) -> None:
    assert frames.file_of(label) == file

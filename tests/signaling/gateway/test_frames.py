"""WebSocket frames: any cut of the bytes gives the same messages; only FrameError escapes."""

import contextlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.gateway import frames


def masked(first: int, payload: bytes, key: bytes = b"\x01\x02\x03\x04") -> bytes:
    """A client's frame."""
    plain = frames.build(first & 0x0F, payload)
    head = plain[: len(plain) - len(payload)]
    return bytes((first, head[1] | 0x80)) + head[2:] + key + frames.unmask(payload, key)


payloads = st.one_of(
    st.binary(max_size=300),
    st.sampled_from([0, 125, 126, 127, 65535, 65536]).map(lambda n: b"x" * n),
)


texts = st.text(max_size=300).map(str.encode)
messages = st.tuples(st.just(frames.TEXT), texts) | st.tuples(st.just(frames.BINARY), payloads)


@given(sent=st.lists(messages), key=st.binary(min_size=4, max_size=4), data=st.data())
def test_any_cut_gives_the_same_messages(
    sent: list[tuple[int, bytes]], key: bytes, data: st.DataObject
) -> None:
    stream = b"".join(masked(0x80 | opcode, payload, key) for opcode, payload in sent)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=40).map(sorted))
    reader = frames.FrameReader(100_000, 10)
    seen: list[tuple[int, bytes]] = []
    for start, end in pairwise([0, *cuts, len(stream)]):
        seen += reader.feed(stream[start:end])
    assert seen == sent


@given(st.lists(st.binary(max_size=40)))
def test_only_frame_errors_escape(chunks: list[bytes]) -> None:
    reader = frames.FrameReader(1000, 10)
    with contextlib.suppress(frames.FrameError):
        for chunk in chunks:
            for opcode, payload in reader.feed(chunk):
                assert opcode in {1, 2, 8, 9, 10}
                assert len(payload) <= 1000


@given(st.integers(0, 15), payloads)
def test_split_undoes_build(opcode: int, payload: bytes) -> None:
    assert frames.split(frames.build(opcode, payload)) == (opcode, payload)


def test_parts_are_joined_with_control_frames_between() -> None:
    reader = frames.FrameReader(1000, 10)
    stream = masked(0x01, b"a") + masked(0x89, b"ping") + masked(0x00, b"b") + masked(0x80, b"c")
    assert reader.feed(stream) == [(frames.PING, b"ping"), (frames.TEXT, b"abc")]


def test_a_long_frame_in_tiny_reads_is_looked_at_once() -> None:
    reader = frames.FrameReader(100_000, 10)
    stream = masked(0x81, b"x" * 50_000)
    for i in range(len(stream) - 1):
        assert reader.feed(stream[i : i + 1]) == []
    assert reader.feed(stream[-1:]) == [(frames.TEXT, b"x" * 50_000)]


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (masked(0x81, b"x" * 1001), 1009),
        (masked(0x01, b"x" * 600) + masked(0x80, b"x" * 600), 1009),
        (masked(0x01, b"") + masked(0x00, b"") * 10, 1008),
        (masked(0x00, b""), 1002),
        (frames.build(frames.TEXT, b"not masked"), 1002),
    ],
)
def test_limits(stream: bytes, code: int) -> None:
    with pytest.raises(frames.FrameError) as error:
        frames.FrameReader(1000, 10).feed(stream)
    assert error.value.code == code


def stretched(size: int, width: int) -> bytes:
    """A frame of `size` bytes whose length is written in `width` bytes."""
    head = bytes((0x81, 0xFE if width == 2 else 0xFF)) + size.to_bytes(width, "big")
    return head + bytes(4) + b"x" * size


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (stretched(125, 2), 1002),
        (stretched(0, 8), 1002),
        (stretched(65535, 8), 1002),
        (masked(0x81, b"ok\xff"), 1007),
        (masked(0x81, b"\xed\xa0\x80"), 1007),
        (masked(0x01, "é".encode()[:1]) + masked(0x80, b"x"), 1007),
        (masked(0x88, b"\x03"), 1002),
        *((masked(0x88, n.to_bytes(2, "big")), 1002) for n in (0, 999, 1004, 1005, 1006, 1015)),
        *((masked(0x88, n.to_bytes(2, "big")), 1002) for n in (1016, 2999, 5000, 65535)),
        (masked(0x88, b"\x03\xe8\xff"), 1007),
    ],
)
def test_the_letter(stream: bytes, code: int) -> None:
    with pytest.raises(frames.FrameError) as error:
        frames.FrameReader(100_000, 10).feed(stream)
    assert error.value.code == code


@pytest.mark.parametrize("size", [126, 65535, 65536])
def test_lengths_in_the_form_they_need(size: int) -> None:
    (message,) = frames.FrameReader(100_000, 10).feed(masked(0x82, b"\xff" * size))
    assert message == (frames.BINARY, b"\xff" * size)


def test_text_may_be_cut_within_a_character_and_a_close_say_why() -> None:
    e = "é".encode()
    reader = frames.FrameReader(1000, 10)
    assert reader.feed(masked(0x01, e[:1]) + masked(0x80, e[1:])) == [(frames.TEXT, e)]
    for code in (1000, 1001, 1003, 1011, 3000, 4999):
        payload = code.to_bytes(2, "big") + e
        assert reader.feed(masked(0x88, payload)) == [(frames.CLOSE, payload)]
    assert reader.feed(masked(0x88, b"")) == [(frames.CLOSE, b"")]


def test_a_close_reason_fits_a_control_frame() -> None:
    assert len(frames.build_close(1000, "r" * 500)) == 127

"""Room for the number and the time of sending, in packets of every shape."""

import pytest

from media.stamps import with_room
from media.wire import extensions, rtp

TIME, NUMBER = (2, b"abc"), (3, b"xy")
OTHER, LONG = (1, b"0"), (12, bytes(range(20)))


@pytest.mark.parametrize(
    "elements",
    [
        [],
        [OTHER],
        [TIME],
        [NUMBER],
        [TIME, NUMBER],
        [NUMBER, OTHER, TIME],
        [LONG],
        [LONG, NUMBER],
        [TIME, LONG, NUMBER, OTHER],
        [(2, b"x"), (3, b"much too long")],
    ],
)
@pytest.mark.parametrize("padding_bytes", [0, 5])
def test_both_lie_where_they_are_said_to_and_the_rest_is_kept(
    elements: list[tuple[int, bytes]], padding_bytes: int
) -> None:
    plain = rtp.build(
        b"payload",
        payload_type=96,
        sequence=7,
        timestamp=8,
        ssrc=9,
        marker=1,
        elements=elements,
        padding_bytes=padding_bytes,
    )
    packet = rtp.parse(bytearray(plain))
    found = {id_: (offset, length) for id_, offset, length in rtp.extensions(packet)}
    before = packet.payload_offset
    roomy, room, moved = with_room(packet, found)
    again = rtp.parse(roomy.data)
    assert bytes(again.payload) == b"payload"
    assert (again.payload_offset, again.payload_end, again.end) == (
        roomy.payload_offset,
        roomy.payload_end,
        roomy.end,
    )
    assert again.payload_offset == before + moved
    kept = {id_: value for id_, value in elements if id_ not in (2, 3)}
    assert _values(again) == {**kept, 2: _values(again)[2]}  # the number's room is padding
    view = memoryview(roomy.data)
    extensions.write_abs_send_time(view, room.time_at, 0x010203)
    room.number(view, 0, 0xBEEF)
    assert _values(rtp.parse(roomy.data)) == {**kept, 2: b"\x01\x02\x03", 3: b"\xbe\xef"}


def _values(packet: rtp.Packet) -> dict[int, bytes]:
    return {
        id_: bytes(packet.data[offset : offset + length])
        for id_, offset, length in rtp.extensions(packet)
    }

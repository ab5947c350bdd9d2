"""Room in every packet for what is known only when it leaves: its number and its time.

A packet gets the room once, when it arrives. Its time (abs-send-time) is written once per batch;
its transport-wide number, which differs for every receiver, with each copy. The room for the
number is padding until an element header (`mark`) is written before it.
"""

from typing import Final, NamedTuple, cast

from media.codecs import OUTGOING_EXTENSIONS
from media.wire import extensions, rtp
from media.wire.extensions import Uri

_NUMBER_ID: Final = OUTGOING_EXTENSIONS[Uri.TRANSPORT_CC]
_TIME_ID: Final = OUTGOING_EXTENSIONS[Uri.ABS_SEND_TIME]
_NUMBER = (_NUMBER_ID, bytes(extensions.TRANSPORT_CC_BYTES))
_TIME = (_TIME_ID, bytes(extensions.ABS_SEND_TIME_BYTES))
_MARK: Final = bytes([_NUMBER_ID << 4 | extensions.TRANSPORT_CC_BYTES - 1])
_LONG_MARK: Final = bytes([_NUMBER_ID, extensions.TRANSPORT_CC_BYTES])
_BLOCK: Final = b"\xbe\xde\x00\x02\0\0\0" + bytes([_TIME_ID << 4 | 2]) + bytes(4)
"""An extension block of padding where the number goes, and the time."""


class Room(NamedTuple):
    """Where the two values of a packet lie, from its first byte."""

    number_at: int
    time_at: int
    mark: bytes
    """Goes right before `number_at` in copies that carry a number."""

    def number(self, view: memoryview, at: int, number: int) -> None:
        """Write a transport-wide number into the copy at `at`."""
        where = at + self.number_at
        view[where - len(self.mark) : where] = self.mark
        extensions.write_transport_seq(view, where, number)


def with_room(
    packet: rtp.Packet, found: dict[int, tuple[int, int]]
) -> tuple[rtp.Packet, Room, int]:
    """`packet`, its Room, and by how many bytes the rest of it moved.

    `found` is what `ExtensionMap.rewrite` returned. The packet is changed in place where it has
    both elements, else copied. Raises ValueError when there is no room.
    """
    if not packet.ext_offset:
        return _bare(packet)
    number, time = found.get(_NUMBER_ID), found.get(_TIME_ID)
    missing = []
    for at, element in ((number, _NUMBER), (time, _TIME)):
        if at is None or at[1] != len(element[1]):
            missing.append(element)
            if at is not None:
                extensions.blank(cast("bytearray", packet.data), packet, *at)
    moved = 0
    if missing:
        grown, inserted = extensions.insert(packet, missing)
        moved = len(grown) - len(packet.data)
        packet = rtp.parse(grown)
        number = inserted[_NUMBER_ID] if _NUMBER in missing else _moved(number, moved)
        time = inserted[_TIME_ID] if _TIME in missing else _moved(time, moved)
    assert number is not None
    assert time is not None
    mark = _MARK if packet.ext_profile == rtp.ONE_BYTE_PROFILE else _LONG_MARK
    room = Room(number[0], time[0], mark)
    data = cast("bytearray", packet.data)
    data[room.number_at - len(mark) : room.number_at + extensions.TRANSPORT_CC_BYTES] = bytes(
        len(mark) + extensions.TRANSPORT_CC_BYTES
    )
    return packet, room, moved


def _bare(packet: rtp.Packet) -> tuple[rtp.Packet, Room, int]:
    """The same for a packet without extensions: most common where it is not a browser's."""
    data, at = cast("bytearray", packet.data), packet.payload_offset
    packet.data = data[:at] + _BLOCK + data[at:]
    packet.data[0] |= 0x10
    packet.ext_profile = rtp.ONE_BYTE_PROFILE
    packet.ext_offset, packet.ext_end = at + 4, at + len(_BLOCK)
    packet.payload_offset += len(_BLOCK)
    packet.payload_end += len(_BLOCK)
    packet.end += len(_BLOCK)
    return packet, Room(at + 5, at + 8, _MARK), len(_BLOCK)


def _moved(found: tuple[int, int] | None, by: int) -> tuple[int, int] | None:
    return None if found is None else (found[0] + by, found[1])

"""Counters inside payloads and extensions that a Consumer keeps unbroken across streams."""

from typing import Final

from media.batch import Batch, Entry
from media.flow.seqmap import SeqMap
from media.wire import extensions
from media.wire.codecs import vp8

FRAME_NUMBER_BITS: Final = 16


class Vp8Pictures:
    """VP8's picture id and tl0picidx: like sequence numbers once frames are left out."""

    __slots__ = ("_ids", "_tl0")

    def __init__(self, entry: Entry) -> None:
        frame = entry.frame
        self._ids = SeqMap(frame.picture_id_bits or 15, max(frame.picture_id, 0))
        self._tl0 = SeqMap(8, max(frame.tl0picidx, 0))

    def switch(self, source: int, entry: Entry) -> None:
        """A stream takes over with `entry`."""
        self._ids.switch(source, entry.frame.picture_id)
        self._tl0.switch(source, max(entry.frame.tl0picidx, 0))

    def drop(self, entry: Entry) -> None:
        """A packet is left out, and so is its frame."""
        self._ids.drop(entry.frame.picture_id)

    def write(self, view: memoryview, at: int, entry: Entry) -> None:
        """Into the copy at `at`."""
        frame = entry.frame
        picture_id = self._ids.map(frame.picture_id)
        tl0picidx = self._tl0.map(max(frame.tl0picidx, 0))
        if picture_id is not None and tl0picidx is not None:
            vp8.rewrite(view, at, frame, picture_id, tl0picidx)


class FrameNumbers:
    """The dependency descriptor's frame number: frames name each other by distance, so what is
    left out leaves a hole, and only a switch of streams shifts it."""

    __slots__ = ("_numbers",)

    def __init__(self, entry: Entry) -> None:
        self._numbers = SeqMap(FRAME_NUMBER_BITS, max(entry.frame.number, 0))

    def switch(self, source: int, entry: Entry) -> None:
        """A stream takes over with `entry`."""
        self._numbers.switch(source, max(entry.frame.number, 0))

    def drop(self, entry: Entry) -> None:
        """Its number stays free."""

    def write(self, view: memoryview, at: int, entry: Entry) -> None:
        """Into the copy at `at`."""
        frame = entry.frame
        if frame.number_offset < 0:
            return
        number = self._numbers.map(frame.number)
        if number is not None:
            extensions.write_transport_seq(view, at + frame.number_offset, number)


Pictures = Vp8Pictures | FrameNumbers


def pictures_of(codec: str, entry: Entry) -> Pictures | None:
    """What `entry`'s codec needs when its streams are switched; None for nothing."""
    if codec == "vp8" and entry.frame.picture_id >= 0:
        return Vp8Pictures(entry)
    if entry.frame.number >= 0:
        return FrameNumbers(entry)
    return None


def write_all(pictures: Pictures, batch: Batch, view: memoryview, starts: list[int]) -> None:
    """Into the copies of a whole batch."""
    write = pictures.write
    for entry, at in zip(batch.entries, starts, strict=False):
        write(view, at, entry)

"""What one packet's payload says about its frame: enough to forward, switch and drop."""

from dataclasses import dataclass


@dataclass(slots=True)
class Frame:
    """One per incoming packet. Offsets count from the start of the packet; -1 means absent."""

    keyframe: bool = False
    """A decoder may start with this packet: it opens a frame that needs no other."""
    start: bool = True
    """First packet of its (layer) frame, as far as the payload tells."""
    end: bool = False
    """Last packet of its layer frame, where the payload tells (VP9, AV1); else use the marker."""
    spatial: int = 0
    temporal: int = 0
    switch_up: bool = False
    """This frame's own temporal layer may be added here (VP8 layer sync)."""
    switch_to: int = -1
    """After this frame, temporal layers up to this one may be added."""
    independent: bool = False
    """Not predicted from another picture: this spatial layer may be added here."""
    discardable: bool = False
    """Nothing is predicted from it."""
    width: int = 0
    """Pixels, 0 when this packet does not say."""
    height: int = 0
    picture_id: int = -1
    picture_id_bits: int = 0
    """7 or 15; 0 when there is none."""
    picture_id_offset: int = -1
    tl0picidx: int = -1
    tl0picidx_offset: int = -1
    number: int = -1
    """The dependency descriptor's, 16 bits (extended where it is forwarded)."""
    number_offset: int = -1
    layered: bool = False
    """The payload carries layer indices at all."""

    def move(self, by: int) -> None:
        """The packet grew by so many bytes before the payload."""
        if self.picture_id_offset >= 0:
            self.picture_id_offset += by
        if self.tl0picidx_offset >= 0:
            self.tl0picidx_offset += by
        if self.number_offset >= 0:
            self.number_offset += by

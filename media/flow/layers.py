"""Which packets of a layered Producer one Consumer gets, and where it may change its mind.

Simulcast: each spatial layer is a stream of its own, entered at a keyframe. SVC: one stream holds
all spatial layers, and a Consumer gets every layer up to its own.
"""

import enum
from collections.abc import Sequence
from typing import NamedTuple


class Layer(NamedTuple):
    """Spatial and temporal index, both from 0."""

    spatial: int
    temporal: int


PLAIN = Layer(0, 7)
"""All there is of a stream without spatial layers."""


class Verdict(enum.IntEnum):
    """What to do with a packet."""

    DROP = 0
    FORWARD = 1
    SWITCH = 2
    """Forward, and it is the first of another stream: renumber from here."""


class Size(NamedTuple):
    """What one spatial layer shows."""

    width: int
    height: int
    fps: float = 30.0


class SimulcastLayers:
    """One Consumer's place in a simulcast Producer (or a plain one: one spatial layer)."""

    __slots__ = ("current", "target", "temporal")

    def __init__(self, target: Layer = PLAIN) -> None:
        self.target = target
        """The layer wanted: its spatial layer must be one that is being sent."""
        self.current = -1
        """Spatial layer forwarded now, -1 before the first keyframe."""
        self.temporal = 0
        """Highest temporal layer forwarded now."""

    @property
    def started(self) -> bool:
        """Whether a keyframe has passed."""
        return self.current >= 0

    def stop(self) -> None:
        """Go on at a keyframe."""
        self.current = -1

    def settled(self, _top: int) -> bool:
        """Whether every packet of the current stream passes, until the target changes."""
        most = PLAIN.temporal
        fits = self.temporal >= most and self.target.temporal >= most
        return fits and 0 <= self.current == self.target.spatial

    @property
    def wants_keyframe(self) -> int:
        """The spatial layer to ask a keyframe of, -1 when none is needed."""
        return -1 if self.current == self.target.spatial else self.target.spatial

    def offer(
        self,
        spatial: int,
        temporal: int,
        *,
        start: bool,
        keyframe: bool,
        switch_up: bool = False,
        switch_to: int = -1,
    ) -> Verdict:
        """Judge a packet of `spatial`. Call for packets of every stream of the Producer.

        `switch_up`: its own temporal layer may be added with it; `switch_to`: after it, those up
        to this one.
        """
        if spatial != self.current:
            return self._enter(spatial, keyframe=keyframe)
        if keyframe:
            self.temporal = self.target.temporal
        elif start and self.temporal != self.target.temporal:
            reach = _reach(self.temporal, temporal, switch_up=switch_up, switch_to=switch_to)
            self.temporal = min(reach, self.target.temporal)
        return Verdict.FORWARD if temporal <= self.temporal else Verdict.DROP

    def _enter(self, spatial: int, *, keyframe: bool) -> Verdict:
        """Another stream: take it if it is nearer to the target and starts here."""
        if not keyframe or spatial > self.target.spatial:
            return Verdict.DROP
        wrong_side = self.current > self.target.spatial
        if spatial != self.target.spatial and not wrong_side and spatial < self.current:
            return Verdict.DROP
        self.current, self.temporal = spatial, self.target.temporal
        return Verdict.SWITCH


def _reach(now: int, temporal: int, *, switch_up: bool, switch_to: int) -> int:
    """The highest temporal layer that may be had from a frame of layer `temporal` on."""
    if temporal <= now:
        return max(now, switch_to)
    return temporal if switch_up else now


class SvcLayers:
    """One Consumer's place in a stream that carries all spatial layers (VP9, AV1)."""

    __slots__ = ("_started", "current", "target", "temporal")

    def __init__(self, target: Layer = PLAIN) -> None:
        self.target = target
        """The layer wanted."""
        self.current = 0
        """Highest spatial layer forwarded now."""
        self.temporal = 0
        self._started = False

    @property
    def started(self) -> bool:
        """Whether a keyframe has passed."""
        return self._started

    def stop(self) -> None:
        """Go on at a keyframe."""
        self._started = False

    def settled(self, top: int) -> bool:
        """Whether every packet passes of a stream with layers up to `top`, until the target
        changes."""
        most = PLAIN.temporal
        fits = self.temporal >= most and self.target.temporal >= most
        return fits and self._started and self.current >= top and self.target.spatial >= top

    @property
    def wants_keyframe(self) -> int:
        """0 when a keyframe is needed to start or to see more, else -1: all layers share it."""
        return -1 if self._started and self.current >= self.target.spatial else 0

    def offer(
        self,
        spatial: int,
        temporal: int,
        *,
        start: bool,
        keyframe: bool,
        independent: bool,
        switch_up: bool = False,
        switch_to: int = -1,
    ) -> Verdict:
        """Judge a packet. `independent`: its layer frame is not predicted from another picture."""
        if not self._started:
            return self._begin(spatial, keyframe=keyframe)
        if start and spatial == 0:
            self.current = min(self.current, self.target.spatial)
            reach = _reach(self.temporal, temporal, switch_up=switch_up, switch_to=switch_to)
            self.temporal = self.target.temporal if keyframe else min(reach, self.target.temporal)
        elif start and independent and spatial == self.current + 1 <= self.target.spatial:
            self.current = spatial
        fits = spatial <= self.current and temporal <= self.temporal
        return Verdict.FORWARD if fits else Verdict.DROP

    def ends_picture(self, spatial: int, *, end: bool) -> bool:
        """Whether the marker must be set: the layers above are dropped (RFC 9628 section 4.1)."""
        return end and spatial == self.current

    def _begin(self, spatial: int, *, keyframe: bool) -> Verdict:
        if not keyframe or spatial:
            return Verdict.DROP
        self._started = True
        self.current, self.temporal = 0, self.target.temporal
        return Verdict.SWITCH


def ceiling(
    sizes: Sequence[Size], temporal_layers: int, *, width: int, height: int, fps: float
) -> Layer:
    """The least layer that fills `width` x `height` at `fps`; 0 means no wish.

    `sizes` are ascending by spatial layer. Temporal layers halve the rate (the usual dyadic ones).
    """
    spatial = max(len(sizes) - 1, 0)
    for index, size in enumerate(sizes):
        if (width or height) and size.width >= width and size.height >= height:
            spatial = index
            break
    temporal = max(temporal_layers - 1, 0)
    full = sizes[spatial].fps if sizes else 30.0
    while fps and temporal and full / 2 ** (temporal_layers - temporal) >= fps:
        temporal -= 1
    return Layer(spatial, temporal)

"""What one subscriber's path carries, and the layers its Consumers get of it.

Two ways of knowing: transport-wide feedback on packets we number (where there are layers to
choose from: it costs work per packet), and the receiver's own estimate (REMB) everywhere else.
Without either nothing is limited.
"""

from collections.abc import Collection
from typing import Final

from media.consumer import EVERYTHING, Consumer
from media.flow.allocator import Allocator, Demand, goal_bps, wanted_bps
from media.flow.bandwidth import Estimator
from media.flow.layers import Layer
from media.flow.probing import Prober
from media.net.transport import Transport
from media.wire import rtcp

INFORMED_S: Final = 5.0
"""Feedback older than this says nothing."""
GRACE_S: Final = 1.0
"""The first feedback covers too little to judge by, unless much of it is bad."""
OVERUSE_S: Final = 1.0
"""How long after a queue grew nothing is tried."""


class Adaptation:
    """Of one subscribe Transport."""

    def __init__(self, transport: Transport) -> None:
        # passed in
        self._transport = transport
        # made here
        self._estimator = Estimator()
        self._allocator = Allocator()
        self._prober = Prober()
        self._first_at: float | None = None
        self._latest_at = float("-inf")
        self._padded_at = 0.0
        self.accepted = False
        """The subscriber tells when transport-wide numbered packets arrived."""
        self.padding_bps = 0.0
        """Sent beside the media, to find out whether more would fit."""

    @property
    def estimate_bps(self) -> float:
        """What the path carries."""
        return self._estimator.estimate_bps

    # what the subscriber says

    def feedback(self, report: rtcp.TransportFeedback, now: float) -> None:
        """When numbered packets arrived."""
        self._informed(now)
        self._estimator.feedback(report.base_sequence, report.arrivals_us, now)

    def remb(self, report: rtcp.Remb, now: float) -> None:
        """The subscriber's own estimate."""
        self._informed(now)
        self._estimator.remb(report.bitrate_bps, now)

    def lost(self, share: float, now: float) -> None:
        """A receiver report; where packets are numbered, feedback knows better."""
        if self._transport.history is None:
            self._estimator.report_loss(share, now)

    def _informed(self, now: float) -> None:
        if now - self._latest_at > INFORMED_S:
            self._first_at = now
        self._latest_at = now

    # what follows

    def tick(self, consumers: Collection[Consumer], now: float) -> None:
        """Give every Consumer its layer; begin and end probes."""
        layered = any(c.accepted and c.producer.layered for c in consumers)
        history = self._estimator.history if layered and self.accepted else None
        self._transport.history = history
        estimate = self._estimator.tick(now)
        if self._first_at is None or now - self._latest_at > INFORMED_S:
            self._lift(consumers, now)
            return
        if now - self._first_at < GRACE_S and not self._overused(now):
            return
        video = {c.producer.id: c for c in consumers if c.producer.kind == "video"}
        rest = sum(c.producer.bps for c in consumers if c.producer.kind != "video" and c.accepted)
        demands = [d for d in (c.demand() for c in video.values()) if d is not None]
        given = self._allocator.tick(estimate - rest, demands, now)
        _spare_the_first(given, demands)
        for track, consumer in video.items():
            consumer.limit(given.get(track, EVERYTHING), now)
        self._probe(estimate - rest, demands, given, now)

    def _lift(self, consumers: Collection[Consumer], now: float) -> None:
        self.padding_bps = 0.0
        for consumer in consumers:
            consumer.limit(EVERYTHING, now)

    def _probe(
        self,
        estimate_bps: float,
        demands: list[Demand],
        given: dict[str, Layer | None],
        now: float,
    ) -> None:
        if self._overused(now):
            self._prober.stop()
        sending = 0
        for demand in demands:
            layer = given[demand.consumer]
            sending += next((s.bitrate_bps for s in demand.steps if s.layer == layer), 0)
        goal = 0.0 if sending >= wanted_bps(demands) else goal_bps(demands)
        self.padding_bps = self._prober.tick(estimate_bps, goal, sending, now)

    def _overused(self, now: float) -> bool:
        return now - self._estimator.over_at < OVERUSE_S

    def pad(self, consumers: Collection[Consumer], now: float) -> None:
        """Send the padding that is due since the last call."""
        elapsed, self._padded_at = min(now - self._padded_at, 0.1), now
        if not self.padding_bps:
            return
        size = int(self.padding_bps * elapsed / 8)
        for consumer in consumers:
            if size > 0 and consumer.producer.kind == "video" and consumer.accepted:
                size -= consumer.repairs.pad(size, now)


def _spare_the_first(given: dict[str, Layer | None], demands: list[Demand]) -> None:
    """One picture stays, however little there is."""
    if demands and all(layer is None for layer in given.values()):
        first = max(demands, key=lambda demand: demand.priority)
        given[first.consumer] = first.steps[0].layer

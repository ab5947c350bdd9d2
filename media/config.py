"""What the SFU is told at start, and what a Participant may do."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from media.net.address import decode, encode


@dataclass(frozen=True, slots=True)
class SfuConfig:
    """Settings of one `Sfu`. The defaults suit one process on one machine."""

    host: str = ""
    """Address to bind; "" takes every one, IPv6 and IPv4."""
    port: int = 7882
    """UDP port; 0 lets the system choose (tests)."""
    announced: tuple[str, ...] = ()
    """Addresses written into candidates; empty means: find them."""
    batched: bool = True
    """Use the batched system calls where the system has them."""
    max_rooms: int = 1000
    max_participants: int = 500
    """Per Room."""
    max_tracks: int = 16
    """Producers per Participant."""
    max_pending: int = 1000
    """Transports that are not connected yet, in the whole process."""
    clock: Callable[[], float] = field(default=time.monotonic)

    def __post_init__(self) -> None:
        for address in self.announced:
            decode(encode(10 if ":" in address else 2, address, 0))


@dataclass(frozen=True, slots=True)
class Rights:
    """What a Participant may do in its Room."""

    publish: bool = True
    subscribe: bool = True
    sources: frozenset[str] | None = None
    """Sources it may publish; None means any."""

    def may_publish(self, source: str) -> bool:
        """Whether a track of `source` may be published."""
        return self.publish and (self.sources is None or source in self.sources)

"""One ICE candidate as text (RFC 8839 section 5.1)."""

from dataclasses import dataclass, field
from typing import Self

from media.wire.sdp.numbers import number

MAX_BYTES = 512
_PREFIX = "candidate:"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Where a peer may be reached."""

    foundation: str
    component: int
    protocol: str
    """Lower case: `udp` or `tcp`."""
    priority: int
    host: str
    """An address, or a `.local` name."""
    port: int
    type: str
    """`host`, `srflx`, `prflx` or `relay`."""
    extensions: dict[str, str] = field(default_factory=dict)
    """Further name and value pairs: raddr, rport, tcptype, generation, ufrag …"""

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `candidate:…`, with or without `a=`. Raises ValueError."""
        if len(text) > MAX_BYTES:
            raise ValueError("ICE candidate is too long")
        text = text.strip().removeprefix("a=")
        parts = text.removeprefix(_PREFIX).split()
        if not text.startswith(_PREFIX) or len(parts) < 8 or parts[6] != "typ":
            raise ValueError("not an ICE candidate")
        foundation, component, protocol, priority, host, port, _, kind, *rest = parts
        if len(rest) % 2:
            raise ValueError("ICE candidate extension without a value")
        return cls(
            foundation=foundation,
            component=number(component, 1, 256),
            protocol=protocol.lower(),
            priority=number(priority, 0, 2**32 - 1),
            host=host,
            port=number(port, 0, 65535),
            type=kind,
            extensions=dict(zip(rest[::2], rest[1::2], strict=True)),
        )

    def serialize(self) -> str:
        """`candidate:…`, what follows `a=`."""
        parts = [
            f"{_PREFIX}{self.foundation} {self.component} {self.protocol} {self.priority}",
            f"{self.host} {self.port} typ {self.type}",
            *(f"{name} {value}" for name, value in self.extensions.items()),
        ]
        return " ".join(parts)

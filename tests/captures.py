"""Packets from files: see tests/packets/README.md."""

from pathlib import Path

PACKETS = Path(__file__).parent / "packets"
DEPENDENCY_ID = 12
"""The dependency descriptor's extension id in the captures."""


def load(name: str) -> bytes:
    """One datagram."""
    return (PACKETS / f"{name}.bin").read_bytes()


def names(prefix: str) -> list[str]:
    """The names of the datagrams that start with `prefix`."""
    found = sorted(path.stem for path in PACKETS.glob(f"{prefix}*.bin"))
    assert found, prefix
    return found


def stream(name: str) -> list[bytes]:
    """The packets of a stream."""
    data = load(f"stream_{name}")
    packets = []
    while data:
        size = int.from_bytes(data[:2], "big")
        packets.append(data[2 : 2 + size])
        data = data[2 + size :]
    return packets


def sdp(name: str) -> str:
    """A session description."""
    return (PACKETS / f"{name}.sdp").read_bytes().decode()

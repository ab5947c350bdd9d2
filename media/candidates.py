"""The candidates every description carries: where this process is reached."""

from typing import Final

import ifaddr

from media.wire.sdp import Candidate

_HOST_PREFERENCE: Final = 126
"""RFC 8445 section 5.1.2.2."""


def local_addresses() -> list[str]:
    """Addresses of this machine's interfaces, loopback only when there is nothing else."""
    found: list[str] = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            if not text.startswith(("127.", "169.254.", "fe80")) and text != "::1":
                found.append(text)
    found.sort(key=lambda text: ":" in text)
    return found or ["127.0.0.1"]


def candidate_lines(addresses: list[str], port: int) -> list[str]:
    """Host candidates in order of preference, without the `a=`."""
    lines = []
    for number, address in enumerate(addresses):
        preference = 65535 - number
        priority = _HOST_PREFERENCE << 24 | preference << 8 | 255
        candidate = Candidate(str(number + 1), 1, "udp", priority, address, port, "host")
        lines.append(candidate.serialize())
    return lines

"""This machine's addresses: which it has, and which of them browsers are told for media."""

from collections.abc import Sequence
from ipaddress import ip_address

import ifaddr

from signaling.config import LOOPBACK, HttpSettings, Settings

EVERY = ("0.0.0.0", "::", "")  # noqa: S104 - compared only
"""Hosts that stand for all of the machine's addresses."""


def lan_addresses() -> list[str]:
    """This machine's own addresses, without link-local ones."""
    found = {"127.0.0.1", "::1"}
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            text = entry.ip if isinstance(entry.ip, str) else entry.ip[0]
            if not ip_address(text.split("%")[0]).is_link_local:
                found.add(text.split("%")[0])
    return sorted(found)


def announced(settings: Settings, own: Sequence[str] | None = None) -> tuple[str, ...]:
    """Addresses for candidates; empty leaves the choice to the SFU, by where it is bound.

    A first look on loopback announces the machine's other IPv4 addresses before it: Firefox refuses
    loopback candidates, Chromium may. `own` are the machine's addresses; None looks them up.
    """
    if settings.media.announce or settings.media.host or settings.http.host not in LOOPBACK:
        return settings.media.announce
    if not settings.dev.enabled:
        return ()
    own = lan_addresses() if own is None else own
    others = [entry for entry in own if not ip_address(entry).is_loopback]
    return (*(entry for entry in others if ":" not in entry), "127.0.0.1")


def urls(http: HttpSettings, port: int, own: Sequence[str] | None = None) -> list[str]:
    """Where browsers find a server that listens on `port`: the first is for this machine, the
    others for its network.
    """
    if http.public_url:
        return [http.public_url]
    scheme = "https" if http.tls_self or http.tls_cert else "http"
    hosts = [http.host]
    if http.host in EVERY:
        own = lan_addresses() if own is None else own
        others = [entry for entry in own if not ip_address(entry).is_loopback]
        hosts = ["localhost", *(e for e in others if ":" not in e or http.host != EVERY[0])]
    return [f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}" for host in hosts]

"""Where media is bound, and which addresses browsers are told."""

from ipaddress import ip_address
from typing import Any

import pytest

from signaling import addresses
from signaling.config import Settings, load

LAN = ["127.0.0.1", "192.0.2.7", "198.51.100.9", "2001:db8::7", "::1"]


def settings(**options: Any) -> Settings:
    return load(env={}, options={name.replace("__", "."): value for name, value in options.items()})


def test_a_first_look_offers_media_where_every_browser_takes_it() -> None:
    first_look = settings(dev__enabled=True)
    assert first_look.http.host == "127.0.0.1"
    assert first_look.media_host == "0.0.0.0"
    assert addresses.announced(first_look, LAN) == ("192.0.2.7", "198.51.100.9", "127.0.0.1")


def test_without_another_address_there_is_loopback() -> None:
    own = ["127.0.0.1", "::1"]
    assert addresses.announced(settings(dev__enabled=True), own) == ("127.0.0.1",)


@pytest.mark.parametrize(
    ("options", "host", "told"),
    [
        ({}, "127.0.0.1", ()),
        ({"dev__enabled": True, "http__host": "0.0.0.0"}, "0.0.0.0", ()),
        ({"dev__enabled": True, "http__host": "192.0.2.7"}, "192.0.2.7", ()),
        ({"dev__enabled": True, "media__host": "127.0.0.1"}, "127.0.0.1", ()),
        (
            {"dev__enabled": True, "media__announce": ("203.0.113.1",)},
            "0.0.0.0",
            ("203.0.113.1",),
        ),
    ],
)
def test_what_was_said_holds(options: dict[str, Any], host: str, told: tuple[str, ...]) -> None:
    given = settings(**options)
    assert given.media_host == host
    assert addresses.announced(given, LAN) == told


def test_a_machine_knows_its_own_addresses() -> None:
    found = addresses.lan_addresses()
    assert {"127.0.0.1", "::1"} <= set(found)
    assert not any(ip_address(entry).is_link_local for entry in found)

"""`session:ready`: every field the protocol promises, and servers to find a way by."""

import base64
import hashlib
import hmac
import time
from typing import Any

import pytest

from signaling.auth.registry import now_ms
from signaling.config import ConfigError, MediaSettings, load
from signaling.protocol.told import SessionReady
from signaling.ready import IceServers
from tests.conftest import MakeProcess
from tests.making import identity
from tests.wire_client import WireClient

TURN = ("stun:relay.example", "turn:relay.example?transport=udp", "turns:relay.example:443")
NOW_MS = 1_700_000_000_000


async def ready_of(url: str) -> dict[str, Any]:
    client = await WireClient(url, "ann").connect()
    try:
        return client.ready
    finally:
        await client.close()


async def test_it_has_every_field_of_the_protocol(make_process: MakeProcess) -> None:
    process = await make_process(
        **{"limits.mentions": 7, "limits.scheduled": 8, "media.ice_servers": TURN[:1]}
    )
    before = now_ms()
    ready = await ready_of(process.url)
    assert set(SessionReady.__struct_fields__) == set(ready)
    assert (ready["limits"]["mentions"], ready["limits"]["scheduled"]) == (7, 8)
    assert all(value > 0 for value in ready["limits"].values())
    assert set(ready["features"]) >= {"message", "history", "presence", "call", "file", "room"}
    assert ready["ice_servers"] == [{"urls": ["stun:relay.example"]}]
    assert before <= ready["server_time"] <= now_ms()


async def test_a_server_without_media_says_so(make_process: MakeProcess) -> None:
    process = await make_process(**{"media.enabled": False})
    ready = await ready_of(process.url)
    assert not {"room", "media"}.intersection(ready["features"])
    assert "message" in ready["features"]


async def test_a_new_token_brings_new_credentials(make_process: MakeProcess) -> None:
    options = {"media.ice_servers": TURN, "media.turn_secret": "what the relay knows"}
    process = await make_process(**options)
    client = await WireClient(process.url, "ann").connect()
    answer = await client.request("session:refresh", token=client.token)
    await client.close()
    relay = answer["ice_servers"][1]
    expires_s, _, name = relay["username"].partition(":")
    assert int(expires_s) > time.time()
    assert name


def test_turn_credentials_are_what_the_relay_computes() -> None:
    settings = MediaSettings(ice_servers=TURN, turn_secret="shared", turn_lifetime_ms=60_000)
    stun, relay = IceServers(settings, lambda: NOW_MS)(identity("ann"))
    assert stun == {"urls": ["stun:relay.example"]}
    assert relay["urls"] == list(TURN[1:])
    assert relay["username"].startswith(f"{NOW_MS // 1000 + 60}:")
    made = hmac.new(b"shared", relay["username"].encode(), hashlib.sha1).digest()
    assert relay["credential"] == base64.b64encode(made).decode()
    (_, other) = IceServers(settings, lambda: NOW_MS)(identity("bob"))
    assert other["username"] != relay["username"]


def test_a_relay_may_have_one_password_for_all() -> None:
    settings = MediaSettings(ice_servers=TURN[1:2], turn_username="u", turn_password="p")
    (relay,) = IceServers(settings, lambda: NOW_MS)(identity("ann"))
    assert relay == {"urls": [TURN[1]], "username": "u", "credential": "p"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"media.ice_servers": ("turn:relay.example",)}, "turn_secret"),
        ({"media.ice_servers": ("https://relay.example",)}, "not stun:"),
        ({"media.announce": ("relay.example",)}, "candidates hold no names"),
    ],
)
def test_what_no_browser_could_use_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(env={}, options=given)

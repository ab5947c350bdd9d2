"""A live socket's identity: refreshed, running out, taken back; and who hears what."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import ClientSession, encode_basic_auth
from socketio.exceptions import ConnectionError as SocketRefused

from signaling import dev
from signaling.app import Process
from signaling.auth.tokens import Tokens
from signaling.model import Grants, Identity
from signaling.sessions import EXPIRING_MS, Sessions
from tests.signaling.ahead import ahead
from tests.wire_client import RequestRefused, WireClient

WAIT_S = 45


async def token(process: Process, user: str, lifetime_s: int = 3600) -> str:
    settings = process._settings
    key = await dev.guest_key(process.registry, settings.storage.data_dir, settings.master_key)
    return await Tokens(process.registry).mint(key, user, lifetime_s=lifetime_s)


async def arrive(process: Process, user: str, device: str = "phone", **options: int) -> WireClient:
    made = await token(process, user, **options)
    return await WireClient(process.url, user, device, made).connect()


async def test_the_first_event_says_who_and_where(process: Process) -> None:
    ann = await arrive(process, "ann")
    assert [name for name, _ in ann.told] == ["session:ready"]
    assert (ann.ready["user"], ann.ready["device"]) == ("ann", "phone")
    assert ann.ready["server_time"] < ann.ready["expires_at"]
    assert ann.ready["missed"]["conversations"] == []
    assert "cursor" in ann.ready
    await ann.close()


async def test_a_token_that_runs_out_is_announced_and_then_cut(process: Process) -> None:
    ann = await arrive(process, "ann", lifetime_s=600)
    ahead(process, 541)
    await ann.until("session:expiring", expires_at=ann.ready["expires_at"])
    assert not ann.disconnected.is_set()
    ahead(process, 601)
    await asyncio.wait_for(ann.disconnected.wait(), WAIT_S)


async def test_a_refreshed_token_keeps_the_socket(process: Process) -> None:
    ann, bob = (
        await arrive(process, "ann", lifetime_s=600),
        await arrive(process, "bob", lifetime_s=600),
    )
    ack = await ann.request("session:refresh", token=await token(process, "ann"))
    assert ack["expires_at"] > ann.ready["expires_at"]
    with pytest.raises(RequestRefused) as refused:
        await ann.request("session:refresh", token=await token(process, "eve"))
    assert refused.value.code == "forbidden"
    ahead(process, 660)
    await asyncio.wait_for(bob.disconnected.wait(), WAIT_S)  # the same lifetime, not refreshed
    await ann.request("presence:watch", users=[])
    assert not ann.disconnected.is_set()
    await ann.close()


async def test_a_device_signed_out_is_cut_and_returns_with_a_new_token_only(
    process: Process,
) -> None:
    phone, laptop = await arrive(process, "ann"), await arrive(process, "ann", "laptop")
    issued = await process.registry.create_key(dev.DEV_APP, "server", ("admin",))
    headers = {"Authorization": encode_basic_auth(issued.key.id, issued.secret)}
    url = f"{process.url}/v1/users/ann/devices/phone"
    async with ClientSession() as http, http.delete(url, headers=headers) as response:
        assert response.status == 200
    await asyncio.wait_for(phone.disconnected.wait(), WAIT_S)
    assert not laptop.disconnected.is_set()
    with pytest.raises(SocketRefused):
        await WireClient(process.url, "ann", "phone", phone.token).connect()
    again = await arrive(process, "ann")
    for one in (again, laptop):
        await one.close()


async def test_bad_payloads_and_names_get_a_code(process: Process) -> None:
    ann = await arrive(process, "ann")
    for event, payload, code in (
        ("typing:set", {"conversation": 1, "on": True}, "bad_request"),
        ("typing:set", {"conversation": "none", "on": True}, "not_found"),
        ("presence:set", {"status": "sleepy"}, "bad_request"),
        ("presence:watch", {"users": ["x"] * 201}, "bad_request"),
        ("no:such", {}, "unsupported"),
        ("signal:send", {"to": {"user": "ann"}}, "bad_request"),
    ):
        with pytest.raises(RequestRefused) as refused:
            await ann.request(event, **payload)
        assert refused.value.code == code, event
    await ann.close()


async def test_statuses_cannot_be_flooded(process: Process) -> None:
    ann = await arrive(process, "ann")

    async def flood() -> None:
        for _ in range(200):
            await ann.request("presence:set", status="busy")

    with pytest.raises(RequestRefused) as refused:
        await flood()
    assert refused.value.code == "rate_limited"
    await ann.close()


async def test_those_who_block_are_offline_to_the_blocked(process: Process) -> None:
    ann, bob = await arrive(process, "ann"), await arrive(process, "bob")
    await bob.request("user:block", user="ann")
    seen = (await ann.request("presence:watch", users=["bob", "ann"]))["users"]
    assert [(one["user"], one["status"]) for one in seen] == [("bob", "offline"), ("ann", "online")]
    await asyncio.gather(ann.close(), bob.close())


async def test_typing_ends_with_the_socket(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AGAIN_MS", "EXPIRES_MS"):
        monkeypatch.setattr(f"signaling.services.typing.{name}", 600_000)
    ann, bob = await arrive(process, "ann"), await arrive(process, "bob")
    ack = await ann.request("conversation:join", alias="hall", create=True)
    hall = ack["conversation"]["id"]
    await bob.request("conversation:join", conversation=hall)
    for _ in range(3):
        await ann.request("typing:set", conversation=hall, on=True)
    await ann.close()
    await bob.until("typing:changed", user="ann", on=False)
    assert len(bob.all("typing:changed", on=True)) == 1
    await bob.close()


def who(connection: str, expires_at: int) -> Identity:
    return Identity(
        app="a",
        user="ann",
        device="phone",
        connection=connection,
        name="Ann",
        grants=Grants(),
        expires_at=expires_at,
    )


def test_each_token_is_due_once() -> None:
    sessions = Sessions()
    sessions.put(who("one", 2 * EXPIRING_MS))
    assert sessions.due(EXPIRING_MS - 1) == ([], [])
    assert [x.connection for x in sessions.due(EXPIRING_MS)[0]] == ["one"]
    assert sessions.due(EXPIRING_MS) == ([], [])
    sessions.put(who("one", 9 * EXPIRING_MS))  # refreshed: the old end means nothing
    assert sessions.due(2 * EXPIRING_MS) == ([], [])
    assert sessions.remove("one") is not None
    assert sessions.due(99 * EXPIRING_MS) == ([], [])
    assert sessions.of("a", "ann") == []

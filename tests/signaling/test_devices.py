"""A user's own devices: seen, signed out from another one, and back with a new token."""

import asyncio
import time
from collections.abc import AsyncIterator

import jwt
import pytest
import socketio
from aiohttp import ClientSession

from signaling.app import Process
from tests.conftest import MakeProcess
from tests.signaling.http.callers import Caller, server_of, token_of
from tests.wire_client import RequestRefused, WireClient

WAIT_S = 60.0


@pytest.fixture
async def client(process: Process) -> AsyncIterator[ClientSession]:
    async with ClientSession(process.url) as session:
        yield session


@pytest.fixture
async def server(process: Process, client: ClientSession) -> Caller:
    return await server_of(process, client, "acme")


async def connected(
    process: Process, token: str, device: str = "phone", user: str = "ann"
) -> WireClient:
    return await WireClient(process.url, user, device, token).connect()


async def cut(socket: WireClient) -> None:
    async with asyncio.timeout(WAIT_S):
        await socket.disconnected.wait()


async def refused(process: Process, token: str, device: str = "phone") -> bool:
    client = WireClient(process.url, "ann", device, token)
    try:
        await client.connect()
    except socketio.exceptions.ConnectionError:
        return True
    await client.close()
    return False


async def test_a_user_sees_and_signs_out_their_devices(process: Process, server: Caller) -> None:
    old = await token_of(server, "ann")
    phone, laptop = await connected(process, old), await connected(process, old, "laptop")
    bob = await connected(process, await token_of(server, "bob"), user="bob")
    listed = (await laptop.request("device:list"))["devices"]
    assert {(one["device"], one["own"]) for one in listed} == {("phone", False), ("laptop", True)}
    assert await laptop.request("device:sign_out", device="phone") == {
        "ok": True,
        "device": "phone",
    }
    await cut(phone)
    assert [one["device"] for one in (await laptop.request("device:list"))["devices"]] == ["laptop"]
    assert not bob.disconnected.is_set()
    with pytest.raises(RequestRefused, match="not_found"):
        await bob.request("device:sign_out", device="laptop")
    for socket in (laptop, bob):
        await socket.close()


async def test_a_token_made_later_brings_a_device_back_and_older_ones_never_do(
    process: Process, server: Caller
) -> None:
    old = await token_of(server, "ann")
    laptop = await connected(process, old, "laptop")
    await cut_off(process, laptop, old)
    assert await refused(process, old)
    phone = await connected(process, await token_of(server, "ann"))
    for _ in range(3):  # cuts are repeated for who was opening just then: not for later tokens
        await process.guarding.revoking.poll()
    assert not phone.disconnected.is_set()
    assert {one["device"] for one in (await laptop.request("device:list"))["devices"]} == {
        "phone",
        "laptop",
    }
    assert await refused(process, old)
    await phone.close()
    await laptop.close()


async def cut_off(process: Process, laptop: WireClient, token: str) -> None:
    phone = await connected(process, token)
    await laptop.request("device:sign_out", device="phone")
    await cut(phone)


async def test_a_token_without_its_time_does_not_bring_a_device_back(
    process: Process, server: Caller
) -> None:
    issued = await process.registry.create_key("acme")
    claims = {"iss": issued.key.id, "sub": "ann", "exp": int(time.time()) + 600}
    timeless = jwt.encode(claims, issued.secret, algorithm="HS256")
    laptop = await connected(process, await token_of(server, "ann"), "laptop")
    await cut_off(process, laptop, timeless)
    assert await refused(process, timeless)
    await laptop.close()


async def test_tokens_of_a_device_end_with_it_everywhere(
    process: Process, client: ClientSession, server: Caller
) -> None:
    theirs = await token_of(server, "ann", device="phone")
    others = await token_of(server, "ann", device="laptop")
    phone = await connected(process, theirs)
    rest = Caller(client, f"Bearer {others}")
    assert (await rest("DELETE", "/v1/devices/phone"))[0] == 200
    await cut(phone)
    assert (await Caller(client, f"Bearer {theirs}")("GET", "/v1/devices"))[0] == 401
    assert (await rest("DELETE", "/v1/devices/watch"))[0] == 404
    later = await token_of(server, "ann", device="phone")
    status, listed = await Caller(client, f"Bearer {later}")("GET", "/v1/devices")
    assert (status, listed["devices"]) == (200, [])
    phone = await connected(process, later)
    status, listed = await rest("GET", "/v1/devices")
    assert [one["device"] for one in listed["devices"]] == ["phone"]
    await phone.close()


async def test_a_device_signs_itself_out_and_is_told(process: Process, server: Caller) -> None:
    phone = await connected(process, await token_of(server, "ann"))
    assert (await phone.request("device:sign_out", device="phone"))["ok"]
    await cut(phone)


async def test_another_node_cuts_a_device_without_being_told(make_process: MakeProcess) -> None:
    """Two nodes with one database and no broker between them: the store is enough."""
    here, there = await make_process(), await make_process()
    async with ClientSession(here.url) as client:
        server = await server_of(here, client, "acme")
        token = await token_of(server, "ann")
        phone = await connected(there, token)
        laptop = await connected(there, token, "laptop")
        assert (await server("DELETE", "/v1/users/ann/devices/phone"))[0] == 200
        await cut(phone)
        assert not laptop.disconnected.is_set()
        await laptop.close()


async def come_and_go(process: Process, auth: dict[str, str | None]) -> None:
    socket = socketio.AsyncClient(reconnection=False)
    await socket.connect(process.url, auth=auth, transports=["websocket"], wait_timeout=WAIT_S)
    await socket.disconnect()


async def test_who_names_no_device_leaves_none(process: Process, server: Caller) -> None:
    token = await token_of(server, "ann", name="Ann")
    for _ in range(3):
        await come_and_go(process, {"token": token})
    assert await process.people.devices("acme", "ann") == []
    assert await process.people.names("acme", ["ann"]) == {"ann": "Ann"}


async def test_a_device_is_called_what_it_says(process: Process, server: Caller) -> None:
    auth = {"token": await token_of(server, "ann"), "device": "d1"}
    for name in ("Firefox on\nLinux", None):
        await come_and_go(process, {**auth, "device_name": name})
    (device,) = await process.people.devices("acme", "ann")
    assert device.name == "Firefox onLinux"


async def test_a_token_without_a_name_leaves_the_one_there_is(
    process: Process, server: Caller
) -> None:
    named = await connected(process, await token_of(server, "ann", name="Ann"))
    nameless = await connected(process, await token_of(server, "ann"), "laptop")
    assert nameless.ready["name"] == "ann"
    assert await process.people.names("acme", ["ann"]) == {"ann": "Ann"}
    await named.close()
    await nameless.close()

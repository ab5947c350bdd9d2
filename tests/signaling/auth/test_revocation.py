"""Tokens taken back: refused from then on, and their live sockets cut, on every node."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from signaling.admin import open_registry
from signaling.app import Process
from tests.conftest import MakeProcess
from tests.signaling.http.callers import Caller, server_of, token_of
from tests.wire_client import WireClient

WAIT_S = 60.0


@pytest.fixture
async def client(process: Process) -> AsyncIterator[ClientSession]:
    async with ClientSession(process.url) as session:
        yield session


@pytest.fixture
async def server(process: Process, client: ClientSession) -> Caller:
    return await server_of(process, client, "acme")


async def connected(process: Process, token: str, user: str, device: str = "phone") -> WireClient:
    return await WireClient(process.url, user, device, token).connect()


async def cut(socket: WireClient) -> None:
    async with asyncio.timeout(WAIT_S):
        await socket.disconnected.wait()


async def status_of(client: ClientSession, token: str) -> int:
    return (await Caller(client, f"Bearer {token}")("GET", "/v1/conversations"))[0]


async def test_a_user_is_signed_out_everywhere(
    process: Process, client: ClientSession, server: Caller
) -> None:
    old = await token_of(server, "ann")
    phone = await connected(process, old, "ann")
    desktop = await connected(process, await token_of(server, "ann"), "ann", "desktop")
    bob = await connected(process, await token_of(server, "bob"), "bob")
    assert (await server("POST", "/v1/users/ann/sign-out"))[0] == 200
    await cut(phone)
    await cut(desktop)
    assert await status_of(client, old) == 401
    new = await token_of(server, "ann")
    assert await status_of(client, new) == 200
    again = await connected(process, new, "ann")
    for _ in range(3):  # cuts are repeated for who was opening just then: not for later tokens
        await process.guarding.revoking.poll()
    assert not again.disconnected.is_set()
    assert not bob.disconnected.is_set()
    await again.close()
    await bob.close()


async def test_one_token_is_taken_back_by_its_jti(
    process: Process, client: ClientSession, server: Caller
) -> None:
    lost = await token_of(server, "ann", jti="lost")
    kept = await token_of(server, "ann", jti="kept")
    phone = await connected(process, lost, "ann")
    desktop = await connected(process, kept, "ann", "desktop")
    await server("POST", "/v1/tokens/revoke", {"jti": "lost"})
    await cut(phone)
    assert await status_of(client, lost) == 401
    assert await status_of(client, kept) == 200
    assert not desktop.disconnected.is_set()
    await desktop.close()


async def test_a_revoked_key_takes_its_sockets_along(process: Process, server: Caller) -> None:
    _, made = await server("POST", "/v1/keys", {"scopes": ["tokens", "read"]})
    token = await process.guarding.tokens.mint(made["key"], "ann")
    phone = await connected(process, token, "ann")
    await server("DELETE", f"/v1/keys/{made['key']}")
    await cut(phone)


async def test_a_key_revoked_beside_the_server_too(process: Process, server: Caller) -> None:
    _, made = await server("POST", "/v1/keys", {"scopes": ["tokens"]})
    phone = await connected(process, await process.guarding.tokens.mint(made["key"], "ann"), "ann")
    async with open_registry(process._settings) as registry:
        await registry.revoke_key(made["key"])
    await cut(phone)


async def test_a_refreshed_socket_goes_by_its_new_token(process: Process, server: Caller) -> None:
    first, second = [await token_of(server, "ann", jti=name) for name in ("first", "second")]
    phone = await connected(process, first, "ann")
    await phone.request("session:refresh", token=second)
    await server("POST", "/v1/tokens/revoke", {"jti": "first"})
    assert not phone.disconnected.is_set()
    await server("POST", "/v1/tokens/revoke", {"jti": "second"})
    await cut(phone)


async def test_another_node_cuts_without_being_told(make_process: MakeProcess) -> None:
    """Two nodes with one database and no broker between them: the store is enough."""
    here, there = await make_process(), await make_process()
    async with ClientSession(here.url) as client:
        server = await server_of(here, client, "acme")
        phone = await connected(there, await token_of(server, "ann"), "ann")
        await server("POST", "/v1/users/ann/sign-out")
        await cut(phone)


async def test_what_is_taken_back_is_forgotten_when_it_has_expired(
    process: Process, server: Caller
) -> None:
    await server("POST", "/v1/users/ann/sign-out")
    store = process.guarding.revoking._store
    assert await store.names("acme", "ann", None, 0)
    await store.forget(2**53)
    assert not await store.names("acme", "ann", None, 0)
    before = await store.last()
    await server("POST", "/v1/users/ann/sign-out")
    assert await store.last() > before


async def test_an_operators_key_is_not_had_by_rotating_it(process: Process, server: Caller) -> None:
    _, app = await server("GET", "/v1/app")
    strong = await process.registry.create_key(app["app"], "ops", ("operator",))
    status, answer = await server("POST", f"/v1/keys/{strong.key.id}/rotate")
    assert (status, answer["code"]) == (403, "forbidden")
    assert await process.registry.live_key(strong.key.id) is not None


async def test_a_rotated_key_goes_on_for_a_while(
    process: Process, client: ClientSession, server: Caller
) -> None:
    _, old = await server("POST", "/v1/keys", {"name": "web", "scopes": ["read"]})
    status, new = await server("POST", f"/v1/keys/{old['key']}/rotate", {"overlap_s": 3600})
    assert status == 201
    assert (new["name"], new["scopes"]) == ("web", ["read"])
    assert new["secret"] != old["secret"]
    _, listed = await server("GET", "/v1/keys")
    (kept,) = [key for key in listed["keys"] if key["key"] == old["key"]]
    assert kept["revoked_at"] > old["created_at"]
    assert (await server("POST", f"/v1/keys/{old['key']}/rotate"))[0] == 409
    assert await process.registry.authenticate(old["key"], old["secret"])
    await server("POST", f"/v1/keys/{new['key']}/rotate", {"overlap_s": 0})
    assert await process.registry.live_key(new["key"]) is None
    assert (await server("POST", "/v1/keys/key-none/rotate"))[0] == 404

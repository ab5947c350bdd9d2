"""The Python client against a real server, which is killed under it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from signaling.client import Client, MemoryStore
from signaling.errors import Refused
from tests.e2e.server import Server
from tests.test_readme import token

WAIT_S = 120


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    one = Server(tmp_path)
    one.start()
    yield one
    one.stop()


async def lobby(client: Client) -> str:
    joined = await client.request("conversation:join", alias="lobby", create=True)
    return str(joined["conversation"]["id"])


async def texts(client: Client, count: int) -> list[str]:
    said: list[str] = []
    async with asyncio.timeout(WAIT_S):
        async for event in client.events():
            if event["type"] == "message:created":
                said.append(event["body"]["text"])
            if len(said) == count:
                break
    return said


async def test_a_bad_token_is_refused_with_its_code(server: Server) -> None:
    with pytest.raises(Refused) as refused:
        await Client(server.url, "nonsense", timeout_s=60).connect()
    assert refused.value.code == "unauthorized"


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Refused) as refused:
        await Client("http://127.0.0.1:9", "x", timeout_s=60).connect()
    assert refused.value.code == "unavailable"


async def test_a_refusal_carries_its_code(server: Server) -> None:
    async with Client(server.url, token(server, "Ann"), timeout_s=60) as client:
        with pytest.raises(Refused) as refused:
            await client.request("history:get", conversation="nowhere", limit=1)
    assert refused.value.code == "not_found"


async def test_sends_are_repeated_until_the_killed_server_is_back(server: Server) -> None:
    ann, bob = token(server, "Ann"), token(server, "Bob")
    async with (
        Client(server.url, ann, timeout_s=60) as sender,
        Client(server.url, bob, timeout_s=60) as reader,
    ):
        place = await lobby(sender)
        await lobby(reader)
        await sender.send(place, {"text": "before"})
        server.kill()
        sending = asyncio.create_task(sender.send(place, {"text": "across"}, attempts=30))
        await asyncio.to_thread(server.start)
        async with asyncio.timeout(WAIT_S):
            answer = await sending
        await sender.send(place, {"text": "after"})
        assert await texts(reader, 3) == ["before", "across", "after"]
    assert not answer["duplicate"]


async def test_a_new_connection_goes_on_where_the_store_stopped(server: Server) -> None:
    store = MemoryStore()
    bob = token(server, "Bob")
    async with Client(server.url, token(server, "Ann"), timeout_s=60) as sender:
        place = await lobby(sender)
        async with Client(server.url, bob, device="phone", store=store, timeout_s=60) as reader:
            await lobby(reader)
            await sender.send(place, {"text": "seen"})
            assert await texts(reader, 1) == ["seen"]
        for number in range(5):
            await sender.send(place, {"text": f"missed {number}"})
        async with Client(server.url, bob, device="phone", store=store, timeout_s=60) as reader:
            assert await texts(reader, 5) == [f"missed {number}" for number in range(5)]


async def test_what_a_crash_interrupts_comes_again(server: Server) -> None:
    store = MemoryStore()
    bob = token(server, "Bob")
    said = ["done with", "interrupted", "never seen"]

    async def crash_at_the_second() -> None:
        async with Client(server.url, bob, device="phone", store=store, timeout_s=60) as reader:
            await lobby(reader)
            for text in said:
                await sender.send(place, {"text": text})
            assert await texts(reader, 2) == said[:2]
            raise ZeroDivisionError

    async with Client(server.url, token(server, "Ann"), timeout_s=60) as sender:
        place = await lobby(sender)
        with pytest.raises(ZeroDivisionError):
            await crash_at_the_second()
        async with Client(server.url, bob, device="phone", store=store, timeout_s=60) as reader:
            assert await texts(reader, 2) == said[1:]


async def test_a_closed_client_ends_its_events(server: Server) -> None:
    client = Client(server.url, token(server, "Ann"), timeout_s=3600)
    await client.connect()
    listening = asyncio.create_task(texts(client, 1))
    await client.close()
    async with asyncio.timeout(WAIT_S):
        assert await listening == []
        with pytest.raises(Refused) as refused:
            await client.request("presence:watch", users=[])
    assert refused.value.code == "unavailable"

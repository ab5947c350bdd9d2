"""No event is lost on its way to a webhook, whoever dies: real processes, SIGKILL, one receiver."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from signaling.adapters.sql import SqlApps, open_database
from signaling.adapters.sql.outbox import SqlOutbox
from signaling.adapters.sql.webhooks import SqlWebhooks
from signaling.auth.registry import Registry
from signaling.auth.sealing import MasterKey
from signaling.auth.tokens import Tokens
from signaling.client import Client
from signaling.outbox.collector import READER
from signaling.outbox.webhook import new_webhook
from tests.e2e.server import Server
from tests.receiver import WAIT_S, Receiver
from tests.redis_server import RedisServer

MASTER_KEY = "t3st-0nly-mAster-key-of-at-least-32-chars"
ENV = {"TOKENIM_MASTER_KEY": MASTER_KEY, "TOKENIM_HTTP_WEBHOOKS_TO_PRIVATE": "true"}
COUNT = 60

pytestmark = pytest.mark.timeout(240)


async def hooked(data: Path, url: str) -> str:
    """An app with a webhook for messages, made before any process runs; a token of its user."""
    database = await open_database(f"sqlite:///{data / 'tokenim.db'}")
    master = MasterKey(MASTER_KEY)
    registry = Registry(SqlApps(database), master)
    await registry.create_app("Shop", "shop")
    issued = await registry.create_key("shop")
    hook, _ = new_webhook(master, "shop", url, ("message:created",))
    await SqlWebhooks(database).put(hook)
    await SqlOutbox(database).enqueue(READER, 0, [])
    token = await Tokens(registry).mint(issued.key.id, "ann", lifetime_s=3600)
    await database.close()
    return token


@asynccontextmanager
async def talking(url: str, token: str) -> AsyncIterator["asyncio.Task[list[str]]"]:
    """Ann sends until all are acked, whatever happens to the server."""

    async def send() -> list[str]:
        async with Client(url, token, timeout_s=WAIT_S) as client:
            made = await client.request("conversation:create", type="group", client_id="g")
            place = str(made["conversation"]["id"])
            acked = []
            for number in range(COUNT):
                await client.send(place, {"text": f"{number}"})
                acked.append(f"{number}")
            return acked

    task = asyncio.create_task(send())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def texts(receiver: Receiver, count: int, found: list[str]) -> list[str]:
    """Add texts in the order they first arrive to `found`, until there are so many."""
    while len(found) < count:
        _, body = await receiver.next()
        text = json.loads(body)["data"]["body"]["text"]
        if text not in found:
            found.append(text)
    return found


async def test_a_killed_process_goes_on_where_it_was(tmp_path: Path, receiver: Receiver) -> None:
    data = tmp_path / "data"
    token = await hooked(data, receiver.url)
    server = Server(data, **ENV)
    await asyncio.to_thread(server.start)
    try:
        receiver.answers = [200] * 5 + [503] + [200] * 5 + [500]
        async with talking(server.url, token) as sending:
            told = await texts(receiver, 12, [])
            server.kill()
            await asyncio.to_thread(server.start)
            await texts(receiver, COUNT, told)
            acked = await asyncio.wait_for(sending, WAIT_S)
    finally:
        server.stop()
    assert told == acked


@pytest.mark.redis
@pytest.mark.slow
async def test_the_other_node_takes_over(tmp_path: Path, receiver: Receiver) -> None:
    token = await hooked(tmp_path / "data", receiver.url)
    redis = RedisServer(tmp_path)
    env = {**ENV, "TOKENIM_REDIS_URL": redis.url}
    nodes = {name: Server(tmp_path / "data", TOKENIM_NODE=name, **env) for name in ("one", "two")}
    redis.start()
    try:
        for server in nodes.values():
            await asyncio.to_thread(server.start)
        async with asyncio.timeout(WAIT_S):
            while not (holder := leased(tmp_path / "data")):
                await asyncio.sleep(0.05)
        (other,) = set(nodes) - {holder}
        async with talking(nodes[other].url, token) as sending:
            told = await texts(receiver, 10, [])
            nodes[holder].kill()
            await texts(receiver, COUNT, told)
            acked = await asyncio.wait_for(sending, WAIT_S)
        assert leased(tmp_path / "data") == other
    finally:
        for server in nodes.values():
            server.stop()
        redis.kill()
    assert told == acked


async def test_usage_is_exact_whoever_is_killed(tmp_path: Path, receiver: Receiver) -> None:
    data = tmp_path / "data"
    token = await hooked(data, receiver.url)
    server = Server(data, **ENV)
    await asyncio.to_thread(server.start)
    try:
        async with talking(server.url, token) as sending:
            for heard in (10, 30):
                await texts(receiver, heard, [])
                server.kill()
                await asyncio.to_thread(server.start)
            acked = await asyncio.wait_for(sending, WAIT_S)
        async with asyncio.timeout(WAIT_S):
            while counted(data) != (len(acked), len(acked), 1):
                await asyncio.sleep(0.05)
    finally:
        server.stop()


def counted(data: Path) -> tuple[int, int, int]:
    """Messages in the log; messages and active users of the month as they were metered."""
    with sqlite3.connect(data / "tokenim.db") as connection:
        (sent,) = connection.execute(
            "SELECT count(*) FROM events WHERE type = 'message:created'"
        ).fetchone()
        rows = connection.execute(
            "SELECT sum(messages), max(active_users) FROM usage_totals WHERE length(period) = 7"
        ).fetchone()
    connection.close()
    return sent, *rows


def leased(data: Path) -> str | None:
    """The node that works on the outbox."""
    with sqlite3.connect(data / "tokenim.db") as connection:
        row = connection.execute("SELECT holder FROM leases WHERE name = 'outbox'").fetchone()
    connection.close()
    return str(row[0]) if row else None

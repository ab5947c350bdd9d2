"""Who is sent to when: lines side by side, one by one within, no webhook in another's way."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from signaling.adapters.sql import SqlApps, open_database
from signaling.adapters.sql.outbox import SqlOutbox, SqlWebhooks
from signaling.model import App
from signaling.outbox.dispatcher import AT_ONCE, AT_ONCE_EACH, Dispatcher, PostFailed
from signaling.outbox.webhook import Delivery, Webhook

WAIT_S = 30


class Servers:
    """Two servers: `well` answers, `ill` does when it is let."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.under_way = 0
        self.most = 0
        self.healed = asyncio.Event()
        self.status = 200

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> None:
        if "ill" in url:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            await self.healed.wait()
            self.under_way -= 1
        if self.status != 200:
            raise PostFailed(f"answered {self.status}", self.status)
        self.got.append(body)


class World:
    """A dispatcher, its outbox, and whether this node may send."""

    def __init__(self, outbox: SqlOutbox, webhooks: SqlWebhooks) -> None:
        self.outbox = outbox
        self.servers = Servers()
        self.may = True
        self.dispatcher = Dispatcher(
            webhooks, outbox, self.servers, lambda _: b"secret", lambda: 10, self._may
        )

    async def _may(self) -> bool:
        return self.may

    async def until_got(self, count: int) -> None:
        async with asyncio.timeout(WAIT_S):
            while len(self.servers.got) < count:
                await self.dispatcher.dispatch()
                await self.dispatcher.settle(0.01)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = await open_database(f"sqlite:///{tmp_path / 'a.db'}")
    await SqlApps(database).create(App(id="a", name="A", created_at=1))
    webhooks = SqlWebhooks(database)
    for name in ("ill", "well"):
        await webhooks.put(
            Webhook(
                id=name, app="a", url=f"https://{name}", events=("*",), sealed=b"", created_at=1
            )
        )
    made = World(SqlOutbox(database), webhooks)
    yield made
    await made.dispatcher.close()
    await database.close()


def delivery(webhook: str, line: str, position: int) -> Delivery:
    return Delivery(
        id=f"{webhook}-{line}-{position}",
        webhook=webhook,
        app="a",
        conversation=line,
        position=position,
        type="t",
        body=f"{webhook}-{line}-{position}",
    )


async def test_a_server_that_does_not_answer_keeps_nobody_waiting(world: World) -> None:
    ill = [delivery("ill", f"c{number}", number) for number in range(2 * AT_ONCE)]
    well = [delivery("well", f"c{number}", 1000 + number) for number in range(2 * AT_ONCE)]
    await world.outbox.enqueue("r", 1, ill + well)
    await world.until_got(len(well))
    assert all(body.startswith(b"well") for body in world.servers.got)
    assert world.servers.most == AT_ONCE_EACH
    world.servers.healed.set()
    await world.until_got(len(well) + len(ill))


async def test_a_line_is_sent_one_by_one(world: World) -> None:
    await world.outbox.enqueue("r", 1, [delivery("ill", "c", number) for number in range(5)])
    await world.dispatcher.dispatch()
    await world.dispatcher.dispatch()
    await world.dispatcher.settle(0.01)
    assert world.servers.most == 1
    world.servers.healed.set()
    await world.until_got(5)
    assert world.servers.got == [f"ill-c-{number}".encode() for number in range(5)]


async def test_who_lost_the_lease_sends_no_more(world: World) -> None:
    await world.outbox.enqueue("r", 1, [delivery("ill", "c", number) for number in range(5)])
    await world.dispatcher.dispatch()
    await world.dispatcher.settle(0.01)
    world.may = False
    world.servers.healed.set()
    while await world.dispatcher.settle(WAIT_S):
        pass
    assert world.servers.got == [b"ill-c-0"]
    world.may = True
    await world.until_got(5)


async def test_what_was_broken_off_is_sent_again(world: World) -> None:
    await world.outbox.enqueue("r", 1, [delivery("ill", "c", 1)])
    await world.dispatcher.dispatch()
    await world.dispatcher.settle(0.01)
    await world.dispatcher.close()
    (again,) = await world.outbox.due(10, 9)
    assert (again.id, again.attempts) == ("ill-c-1", 0)


async def test_a_failure_puts_the_line_off(world: World) -> None:
    await world.outbox.enqueue("r", 1, [delivery("well", "c", 1), delivery("well", "c", 2)])
    world.servers.status = 500
    await world.dispatcher.dispatch()
    while await world.dispatcher.settle(WAIT_S):
        pass
    assert await world.outbox.due(10, 9) == []
    (head,) = await world.outbox.due(10_000, 9)
    assert (head.id, head.attempts, head.error) == ("well-c-1", 1, "answered 500")

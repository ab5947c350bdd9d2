"""Who is sent to when: lines side by side, one by one within, no webhook in another's way."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from signaling.adapters.sql import Database, SqlApps, open_database
from signaling.adapters.sql.outbox import SqlOutbox
from signaling.adapters.sql.webhooks import SqlWebhooks
from signaling.model import App
from signaling.outbox.dispatcher import (
    AT_ONCE,
    AT_ONCE_APP,
    AT_ONCE_EACH,
    DISABLE_AFTER_MS,
    Dispatcher,
    PostFailed,
)
from signaling.outbox.schedule import HORIZON_MS
from signaling.outbox.webhook import Delivery, Webhook

WAIT_S = 60


class Servers:
    """Two servers: `well` answers, `ill` does when it is let."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.under_way = 0
        self.most = 0
        self.healed = asyncio.Event()
        self.status = 200
        self.next: list[int] = []
        """Answers before `status` is."""

    async def post(self, url: str, headers: dict[str, str], body: bytes, owner: str) -> None:
        if "ill" in url:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            await self.healed.wait()
            self.under_way -= 1
        status = self.next.pop(0) if self.next else self.status
        if status != 200:
            raise PostFailed(f"answered {status}", status)
        self.got.append(body)


class SlowToAnswer(SqlOutbox):
    """Its answer to what is due arrives when it is let."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.read = asyncio.Event()
        self.arrives = asyncio.Event()
        self.arrives.set()

    async def due(self, *asked: Any, **more: Any) -> list[Delivery]:
        found = await super().due(*asked, **more)
        self.read.set()
        await self.arrives.wait()
        return found


class World:
    """A dispatcher, its outbox, and whether this node may send."""

    def __init__(self, outbox: SlowToAnswer, webhooks: SqlWebhooks) -> None:
        self.outbox = outbox
        self.servers = Servers()
        self.may = True
        self.webhooks = webhooks
        self.now = 10
        self.disabled: list[str] = []
        self.dispatcher = Dispatcher(
            webhooks,
            outbox,
            self.servers,
            lambda _: b"secret",
            lambda: self.now,
            self._may,
            self._disabled,
        )

    async def _may(self) -> bool:
        return self.may

    async def _disabled(self, hook: Webhook) -> None:
        self.disabled.append(hook.id)

    async def settled(self) -> None:
        """Everything that was begun has ended."""
        await self.dispatcher.dispatch()
        while await self.dispatcher.settle(WAIT_S):
            pass

    async def until_got(self, count: int) -> None:
        async with asyncio.timeout(WAIT_S):
            while len(self.servers.got) < count:
                await self.dispatcher.dispatch()
                await self.dispatcher.settle(0.01)


def hook(name: str, app: str = "a") -> Webhook:
    return Webhook(id=name, app=app, url=f"https://{name}", events=("*",), sealed=b"", created_at=1)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = await open_database(f"sqlite:///{tmp_path / 'a.db'}")
    await SqlApps(database).create(App(id="a", name="A", created_at=1))
    webhooks = SqlWebhooks(database)
    for name in ("ill", "well"):
        await webhooks.put(hook(name))
    made = World(SlowToAnswer(database), webhooks)
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
        queued_at=0,
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


async def test_what_ends_while_it_is_read_is_not_sent_twice(world: World) -> None:
    await world.outbox.enqueue("r", 1, [delivery("ill", "c", number) for number in range(2)])
    await world.dispatcher.dispatch()
    async with asyncio.timeout(WAIT_S):
        while not world.servers.under_way:
            await asyncio.sleep(0)
    world.outbox.read.clear()
    world.outbox.arrives.clear()
    reading = asyncio.create_task(world.dispatcher.dispatch())  # sees the first, still under way
    await world.outbox.read.wait()
    world.servers.healed.set()
    while await world.dispatcher.settle(WAIT_S):
        pass
    world.outbox.arrives.set()
    assert await reading == 1, "the line has ended meanwhile: look again"
    await world.settled()
    assert world.servers.got == [b"ill-c-0", b"ill-c-1"]


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


async def test_one_app_s_webhooks_take_no_place_from_another_s(world: World) -> None:
    await world.webhooks.put(hook("ill2"))
    await world.webhooks.put(hook("ill3"))
    for name in ("ill", "ill2", "ill3"):
        mine = [delivery(name, f"c{number}", number) for number in range(AT_ONCE)]
        await world.outbox.enqueue(name, 1, mine)
    while await world.dispatcher.dispatch():
        await world.dispatcher.settle(0.01)
    assert world.servers.most == AT_ONCE_APP
    world.servers.healed.set()
    await world.until_got(3 * AT_ONCE)


async def test_a_webhook_that_took_nothing_for_a_day_is_disabled(world: World) -> None:
    await world.outbox.enqueue("r", 1, [delivery("well", "c", 1), delivery("well", "d", 2)])
    world.servers.status = 500
    await world.settled()
    world.now += DISABLE_AFTER_MS - 1
    await world.settled()
    assert world.disabled == []
    world.now += 3_600_000
    await world.settled()
    assert world.disabled == ["well"]
    dead = await world.outbox.dead("a", 9)
    assert {one.error for one in dead} == {"disabled: answered 500"}
    assert len(dead) == 2
    assert await world.dispatcher.dispatch() == 0


async def test_one_that_took_something_begins_anew(world: World) -> None:
    await world.outbox.enqueue("r", 1, [delivery("well", "c", 1)])
    world.servers.status = 500
    await world.settled()
    world.now += DISABLE_AFTER_MS
    world.servers.status = 200
    await world.settled()
    await world.outbox.enqueue("r", 2, [delivery("well", "c", 2)])
    world.servers.status = 500
    await world.settled()
    assert world.disabled == []
    (mine,) = [one for one in await world.webhooks.all() if one.id == "well"]
    assert mine.failing_since == world.now


async def test_one_that_has_just_taken_something_is_not_disabled_by_the_next(world: World) -> None:
    await world.outbox.enqueue("r", 1, [delivery("well", "c", 1), delivery("well", "c", 2)])
    world.servers.status = 500
    await world.settled()
    world.now += DISABLE_AFTER_MS
    world.servers.next = [200]
    await world.settled()
    assert world.servers.got == [b"well-c-1"]
    assert world.disabled == []
    (mine,) = [one for one in await world.webhooks.all() if one.id == "well"]
    assert mine.failing_since == world.now


async def test_what_waits_behind_failures_is_not_kept_for_ever(world: World) -> None:
    await world.outbox.enqueue("r", 1, [delivery("ill", "c", number) for number in range(3)])
    world.now = HORIZON_MS
    await world.dispatcher.age()
    assert await world.outbox.dead("a", 9) == []
    world.now += 1
    world.may = False
    await world.dispatcher.age()
    assert await world.outbox.dead("a", 9) == [], "the node with the lease does it"
    world.may = True
    await world.dispatcher.age()
    assert len(await world.outbox.dead("a", 9)) == 3
    assert world.dispatcher.stats()["dead_total"] == 3

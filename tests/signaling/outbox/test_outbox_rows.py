"""The outbox's rows: lines of deliveries, their heads, their dead."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from signaling.adapters.sql import open_database
from signaling.adapters.sql.outbox import SqlOutbox
from signaling.outbox.webhook import Delivery


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[SqlOutbox]:
    database = await open_database(f"sqlite:///{tmp_path / 'a.db'}")
    yield SqlOutbox(database)
    await database.close()


def delivery(position: int, conversation: str = "c", webhook: str = "w") -> Delivery:
    return Delivery(
        id=f"{webhook}-{conversation}-{position}",
        webhook=webhook,
        app="a",
        conversation=conversation,
        position=position,
        type="message:created",
        body="{}",
    )


async def due(outbox: SqlOutbox, now: int = 10) -> list[str]:
    return sorted(one.id for one in await outbox.due(now, 100))


async def test_only_the_head_of_each_line_is_due(outbox: SqlOutbox) -> None:
    lines = [delivery(1), delivery(2), delivery(3, "d"), delivery(1, webhook="v")]
    await outbox.enqueue("r", 3, lines)
    assert await due(outbox) == ["v-c-1", "w-c-1", "w-d-3"]


async def test_a_page_is_queued_once(outbox: SqlOutbox) -> None:
    await outbox.enqueue("r", 1, [delivery(1)])
    await outbox.enqueue("r", 1, [delivery(1)])
    assert await outbox.position("r") == 1
    assert await due(outbox) == ["w-c-1"]


async def test_a_head_that_was_put_off_holds_its_line(outbox: SqlOutbox) -> None:
    await outbox.enqueue("r", 2, [delivery(1), delivery(2)])
    await outbox.put_off("w-c-1", 50, "no")
    assert await due(outbox) == []
    assert await due(outbox, 50) == ["w-c-1"]


async def test_a_dead_head_lets_its_line_go_on_and_can_come_back(outbox: SqlOutbox) -> None:
    await outbox.enqueue("r", 2, [delivery(1), delivery(2)])
    await outbox.bury("w-c-1", 20, "gone")
    assert await due(outbox) == ["w-c-2"]
    assert [(one.id, one.error) for one in await outbox.dead("a", 10)] == [("w-c-1", "gone")]
    assert not await outbox.replay("other", "w-c-1", 30)
    assert await outbox.replay("a", "w-c-1", 30)
    assert await due(outbox, 30) == ["w-c-1"]
    await outbox.done("w-c-1")
    assert await due(outbox) == ["w-c-2"]

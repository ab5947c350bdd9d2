"""The outbox's rows, on every database: lines of deliveries, news, leases."""

from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, event, select

from signaling.adapters.sql import Database, SqlApps, SqlConversations, SqlLog
from signaling.adapters.sql.forgetting import forget_untold
from signaling.adapters.sql.news import SqlLeases, SqlNews
from signaling.adapters.sql.outbox import SqlOutbox
from signaling.adapters.sql.tables_outbox import deliveries, lines
from signaling.adapters.sql.webhooks import SqlWebhooks
from signaling.model import App, Presence
from signaling.outbox.lease import LEASE_MS, RENEW_MS, Lease
from signaling.outbox.news import News, deliveries_of
from signaling.outbox.presence import PresenceNews
from signaling.outbox.webhook import Delivery, Webhook
from tests.making import APP, group, message

LATER = 2**53


@pytest.fixture
def outbox(database: Database) -> SqlOutbox:
    return SqlOutbox(database)


@pytest.fixture
def news(database: Database) -> SqlNews:
    return SqlNews(database)


async def hooked(database: Database, *events: str, app: str = APP) -> Webhook:
    """An app with a webhook that wants these."""
    await SqlApps(database).create(App(id=app, name=app, created_at=1))
    hook = Webhook(
        id=f"wh-{app}", app=app, url="https://x", events=events, sealed=b"s", created_at=1
    )
    await SqlWebhooks(database).put(hook)
    return hook


def delivery(position: int, conversation: str = "c", webhook: str = "w") -> Delivery:
    return Delivery(
        id=f"{webhook}-{conversation}-{position}",
        webhook=webhook,
        app="a",
        conversation=conversation,
        position=position,
        type="message:created",
        body="{}",
        queued_at=0,
    )


async def due(outbox: SqlOutbox, now: int = 10) -> list[str]:
    return sorted(one.id for one in await outbox.due(now, 100))


async def waiting(news: SqlNews, outbox: SqlOutbox) -> list[tuple[str, str]]:
    """(line, body) of what the news led to."""
    await news.take(100, deliveries_of)
    return [(one.conversation, one.body) for one in await outbox.due(LATER, 100)]


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
    await outbox.put_off(delivery(1), 50, "no")
    assert await due(outbox) == []
    assert await due(outbox, 50) == ["w-c-1"]


async def test_putting_a_line_off_writes_one_row_of_it_however_long_it_is(
    database: Database, outbox: SqlOutbox
) -> None:
    await outbox.enqueue("r", 9, [delivery(number) for number in range(1, 9)])
    await outbox.put_off(delivery(1), 50, "no")
    await outbox.enqueue("r", 10, [delivery(10)])
    assert await due(outbox, 49) == [], "what comes later waits too"
    rows = await database.read(lambda c: c.execute(select(lines)).all())
    assert [(row.webhook, row.conversation, row.next_at) for row in rows] == [("w", "c", 50)]
    kept = await database.read(lambda c: c.execute(select(deliveries)).all())
    assert {(row.attempts, row.queued_at) for row in kept if row.position > 1} == {(0, 0)}
    await outbox.done(delivery(1))
    assert await due(outbox) == ["w-c-2"], "one that was taken lets the next go at once"


async def test_what_waits_too_long_is_set_aside_and_what_came_later_goes_on(
    database: Database, outbox: SqlOutbox
) -> None:
    old = [delivery(number) for number in range(1, 4)]
    young = [replace(delivery(4), queued_at=90), replace(delivery(5, "d"), queued_at=90)]
    await outbox.enqueue("r", 9, [*old, delivery(3, "e"), *young])
    assert await outbox.age(90, 100, "too old", 3) == 3
    assert await outbox.age(90, 100, "too old", 3) == 1
    assert await outbox.age(90, 100, "too old", 3) == 0
    assert await due(outbox, 100) == ["w-c-4", "w-d-5"]
    assert {(one.id, one.error) for one in await outbox.dead("a", 9)} == {
        (name, "too old") for name in ("w-c-1", "w-c-2", "w-c-3", "w-e-3")
    }
    rows = await database.read(lambda c: c.execute(select(lines)).all())
    assert {row.conversation for row in rows} == {"c", "d"}, "a line with nothing open has ended"
    assert await outbox.replay("a", "w-e-3", 100)
    assert await outbox.age(100, 100, "too old", 9) == 2, "a replay waits anew"
    assert await due(outbox, 100) == ["w-e-3"]


async def test_what_was_set_aside_while_it_was_sent_puts_no_line_off(outbox: SqlOutbox) -> None:
    await outbox.enqueue("r", 2, [delivery(1), delivery(2)])
    await outbox.bury("w-c-1", 5, "gone")
    await outbox.put_off(delivery(1), 5_000, "no")
    assert await due(outbox, 20) == ["w-c-2"]
    assert [one.error for one in await outbox.dead("a", 9)] == ["gone"]


async def test_a_replay_does_not_wait_for_a_line_that_was_put_off(outbox: SqlOutbox) -> None:
    await outbox.enqueue("r", 2, [delivery(1), delivery(2)])
    await outbox.bury("w-c-1", 5, "gone")
    await outbox.put_off(delivery(2), 5_000, "no")
    assert await outbox.replay("a", "w-c-1", 20)
    assert await due(outbox, 20) == ["w-c-1"]


async def test_a_webhook_that_is_disabled_is_owed_nothing_and_told_nothing(
    database: Database, news: SqlNews, outbox: SqlOutbox
) -> None:
    hook = await hooked(database, "*")
    webhooks = SqlWebhooks(database)
    mine = [replace(delivery(n, webhook=hook.id), app=APP) for n in (1, 2)]
    await outbox.enqueue("r", 2, [*mine, delivery(1, webhook="other")])
    await webhooks.failing(hook.id, 5)
    await webhooks.failing(hook.id, 6)
    assert [one.failing_since for one in await webhooks.of_app(APP)] == [5]
    assert not await webhooks.disable(hook.id, 7, "no answer", 4), "it took something since"
    assert await webhooks.disable(hook.id, 7, "no answer", 5)
    assert not await webhooks.disable(hook.id, 8, "no answer", 5)
    assert await due(outbox) == ["other-c-1"]
    assert {one.error for one in await outbox.dead(APP, 9)} == {"no answer"}
    await news.put(item(1))
    assert await news.take(10, deliveries_of) == 0
    assert not await webhooks.enable("other", hook.id)
    assert await webhooks.enable(APP, hook.id)
    assert await webhooks.of_app(APP) == [hook]
    await news.put(item(1))
    assert await news.take(10, deliveries_of) == 1


async def test_due_reads_the_lines_and_one_delivery_of_each(
    database: Database, outbox: SqlOutbox
) -> None:
    """However much waits behind them: no plan may walk through the deliveries."""
    if database.dialect != "sqlite":
        pytest.skip("small tables are read as a whole there")
    asked: list[str] = []

    class Reading:
        dialect = "sqlite"

        async def read(self, op: Any) -> Any:
            def explain(connection: Connection) -> list[Any]:
                def caught(c: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
                    if not statement.startswith("EXPLAIN"):
                        plan = c.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                        asked.extend(row[-1] for row in plan)

                event.listen(connection, "before_cursor_execute", caught)
                found: list[Any] = op(connection)
                event.remove(connection, "before_cursor_execute", caught)
                return found

            return await database.read(explain)

    await outbox.enqueue("r", 2, [delivery(1), delivery(2)])
    assert await due(SqlOutbox(Reading())) == ["w-c-1"]  # type: ignore[arg-type]
    told = [line for line in asked if "deliver" in line]
    assert all(line.startswith("SEARCH") for line in told), asked
    assert any("ix_delivery_lines_next_at" in line for line in told), asked
    assert any("ix_deliveries_open" in line for line in told), asked


async def test_a_dead_head_lets_its_line_go_on_and_can_come_back(outbox: SqlOutbox) -> None:
    await outbox.enqueue("r", 2, [delivery(1), delivery(2)])
    await outbox.bury("w-c-1", 20, "gone")
    assert await due(outbox) == ["w-c-2"]
    assert [(one.id, one.error) for one in await outbox.dead("a", 10)] == [("w-c-1", "gone")]
    assert not await outbox.replay("other", "w-c-1", 30)
    assert await outbox.replay("a", "w-c-1", 30)
    assert await due(outbox, 30) == ["w-c-1"]
    await outbox.done(delivery(1))
    assert await due(outbox) == ["w-c-2"]


async def test_the_next_of_a_line_follows_at_once(outbox: SqlOutbox) -> None:
    await outbox.enqueue("r", 3, [delivery(1), delivery(2), delivery(1, "d")])
    following = await outbox.done(delivery(1))
    assert following is not None
    assert following.id == "w-c-2"
    assert await outbox.done(following) is None


async def test_a_webhook_that_has_enough_is_left_out(outbox: SqlOutbox) -> None:
    await outbox.enqueue("r", 1, [delivery(1), delivery(1, webhook="v")])
    assert [one.id for one in await outbox.due(10, 100, ["w"])] == ["v-c-1"]


async def test_dead_letters_are_listed_by_webhook_and_replayed_together(
    outbox: SqlOutbox,
) -> None:
    await outbox.enqueue("r", 3, [delivery(1), delivery(2, "d"), delivery(3, webhook="v")])
    for at, name in enumerate(["w-c-1", "w-d-2", "v-c-3"], 20):
        await outbox.bury(name, at, "gone")
    assert [one.id for one in await outbox.dead("a", 10, "w")] == ["w-d-2", "w-c-1"]
    assert [one.id for one in await outbox.dead("a", 10, None, (21, "w-d-2"))] == ["w-c-1"]
    await outbox.bury("w-d-2", 20, "gone")
    assert [one.id for one in await outbox.dead("a", 10, None, (20, "w-d-2"))] == ["w-c-1"]
    await outbox.bury("w-d-2", 21, "gone")
    assert await outbox.replay_all("other", None, 30) == 0
    assert await outbox.replay_all("a", "w", 30) == 2
    assert await due(outbox, 30) == ["w-c-1", "w-d-2"]
    assert await outbox.forget(22) == 0
    assert await outbox.forget(23) == 1
    assert await outbox.replay_all("a", None, 30) == 0


def item(number: int = 1, **changes: object) -> News:
    fields = {"app": APP, "type": "x:y", "line": "l", "subject": f"s{number}", "data": {}}
    return News(**{**fields, **changes})  # type: ignore[arg-type]


async def test_news_nobody_wants_are_not_kept(database: Database, news: SqlNews) -> None:
    await hooked(database, "other:*")
    await news.put(item(1))
    assert await news.take(10, deliveries_of) == 0


async def test_news_become_deliveries_once_in_order(
    database: Database, news: SqlNews, outbox: SqlOutbox
) -> None:
    hook = await hooked(database, "x:*")
    for number in (1, 2, 3):
        await news.put(item(number, line=f"l{number}", data={"n": number}))
    assert await news.take(2, deliveries_of) == 2
    assert await news.take(2, deliveries_of) == 1
    assert await news.take(2, deliveries_of) == 0
    found = await outbox.due(LATER, 100)
    assert [one.position for one in found] == [1, 2, 3]
    assert {one.webhook for one in found} == {hook.id}
    assert '"n":3' in found[2].body


async def test_later_news_of_a_subject_replace_those_that_wait(
    database: Database, news: SqlNews, outbox: SqlOutbox
) -> None:
    await hooked(database, "*")
    await news.put(item(1, data={"n": 1}))
    await news.put(item(1, data={"n": 2}))
    ((_, body),) = await waiting(news, outbox)
    assert '"n":2' in body
    await news.put(item(1, data={"n": 3}))
    await news.take(10, deliveries_of)
    assert len({one.id for one in await outbox.due(LATER, 100)}) == 1, "a line has one head"
    following = await outbox.done((await outbox.due(LATER, 1))[0])
    assert following is not None
    assert '"n":3' in following.body


async def test_receipts_become_news_with_the_watermark(
    database: Database, news: SqlNews, outbox: SqlOutbox
) -> None:
    await hooked(database, "receipt:*")
    conversations = SqlConversations(database)
    name = await group(conversations, "ann", "bob")
    for number in (1, 2, 3):
        await SqlLog(database).append(message(name, "ann", f"{number}"))
    assert await waiting(news, outbox) == [], "a sender's own watermark is no receipt"
    await conversations.advance(APP, name, "bob", delivered=1)
    await conversations.advance(APP, name, "bob", delivered=2)
    await conversations.advance(APP, name, "bob", read=3)
    await conversations.advance(APP, name, "bob", read=2)
    await news.take(100, deliveries_of)
    first = (await outbox.due(LATER, 100))[0]
    assert first.type == "receipt:delivered"
    assert f'"data":{{"conversation":"{name}","user":"bob","seq":3}}' in first.body
    second = await outbox.done(first)
    assert second is not None
    assert second.type == "receipt:read"
    assert await outbox.done(second) is None


async def test_one_holder_has_the_lease_until_it_ends(database: Database) -> None:
    now = 1_000
    leases = SqlLeases(database)
    first = Lease(leases, "work", "a", lambda: now)
    second = Lease(leases, "work", "b", lambda: now)
    assert await first.held()
    assert not await second.held()
    now += RENEW_MS
    assert await first.held(), "renewed"
    now += LEASE_MS
    assert await second.held(), "the first died"
    assert not await first.held()
    await second.release()
    assert await first.held()


class Seen:
    """A PresenceManager that says what it was told."""

    def __init__(self) -> None:
        self.now: dict[str, Presence] = {}

    async def get(self, app: str, users: list[str]) -> list[Presence]:
        return [self.now.get(user, Presence(user=user, status="offline")) for user in users]


async def test_presence_is_told_when_it_differs_and_looked_at_again(
    database: Database, news: SqlNews, outbox: SqlOutbox
) -> None:
    await hooked(database, "presence:changed")
    seen = Seen()
    teller = PresenceNews(news, seen, lambda *_: True, lambda: 5)  # type: ignore[arg-type]
    here = Presence(user="ann", status="online", devices=1)
    seen.now["ann"] = here
    await teller.changed(APP, here)
    assert await news.take(9, deliveries_of) == 1
    await teller.changed(APP, here)
    await teller.changed(APP, Presence(user="bob", status="offline"))
    await teller.look_again()
    assert await news.take(9, deliveries_of) == 0, "nothing new"
    seen.now["ann"] = replace(here, status="offline", devices=0)
    await teller.look_again()
    await teller.look_again()
    assert await news.take(9, deliveries_of) == 1, "who vanished with a node is told to be gone"
    first = (await outbox.due(LATER, 9))[0]
    following = await outbox.done(first)
    assert following is not None
    assert '"status":"offline"' in following.body


async def test_who_is_erased_is_not_told_of_any_more(
    database: Database, news: SqlNews, outbox: SqlOutbox
) -> None:
    await hooked(database, "*")
    said = {"ann": '{"data":{"sender":"ann"}}', "anna": '{"data":{"sender":"anna"}}'}
    mine = [
        replace(delivery(number), id=user, app=APP, conversation=user, body=body)
        for number, (user, body) in enumerate(said.items())
    ]
    await outbox.enqueue("r", 2, mine)
    await outbox.bury("ann", 5, "gone")
    await news.put(item(1, data={"user": "ann"}))
    await news.put(item(2, data={"user": "a%n"}))
    await database.write(lambda c: forget_untold(c, APP, "ann"))
    assert await outbox.dead(APP, 9) == []
    assert await due(outbox) == ["anna"]
    rows = await database.read(lambda c: c.execute(select(lines)).all())
    assert [row.conversation for row in rows] == ["anna"]
    assert await news.take(9, deliveries_of) == 1

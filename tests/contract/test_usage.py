"""Metering, on every database: a projection of the log, exact after crashes, rebuildable."""

import asyncio
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from signaling.adapters.sql import Database, SqlApps, SqlConversations, SqlFiles, SqlLog
from signaling.adapters.sql.news import SqlNews
from signaling.adapters.sql.usage import SqlUsage
from signaling.adapters.sql.webhooks import SqlWebhooks
from signaling.errors import Refused
from signaling.model import App, Draft
from signaling.outbox.metering import Metering
from signaling.outbox.news import deliveries_of
from signaling.outbox.usage import Notice, Totals, count
from signaling.outbox.webhook import Webhook
from signaling.services.file_record import File
from tests.making import APP, group, message


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


MONDAY, TUESDAY, NEXT = at("2026-11-23T23:59:59"), at("2026-11-24"), at("2026-12-01")


@pytest.fixture
def store(database: Database) -> SqlUsage:
    return SqlUsage(database)


def ended(conversation: str, *, at_: int, ms: int, **states: str) -> Draft:
    """A call of these users."""
    parties = [{"user": user, "state": state} for user, state in states.items()]
    call = {"id": "call", "duration_ms": ms, "participants": parties}
    return replace(
        message(conversation, "ann", f"call-{at_}", at=at_), type="call:ended", data={"call": call}
    )


async def talk(database: Database) -> str:
    """Two days and a month of talk."""
    name = await group(SqlConversations(database), "ann", "bob", "cy", "dee")
    log = SqlLog(database)
    for number, (sender, when) in enumerate(
        [("ann", MONDAY), ("bob", MONDAY), ("ann", TUESDAY), ("ann", NEXT)]
    ):
        await log.append(message(name, sender, f"m{number}", at=when))
    await log.append(ended(name, at_=TUESDAY, ms=90_000, ann="accepted", cy="left", dee="missed"))
    return name


async def everything(store: SqlUsage) -> dict[str, Totals]:
    periods = ["2026-11-23", "2026-11-24", "2026-12-01", "2026-11", "2026-12"]
    return await store.totals(APP, periods)


EXPECTED = {
    "2026-11-23": Totals(messages=2, active_users=2),
    "2026-11-24": Totals(messages=1, active_users=2, call_ms=90_000),
    "2026-11": Totals(messages=3, active_users=3, call_ms=90_000),
    "2026-12-01": Totals(messages=1, active_users=1),
    "2026-12": Totals(messages=1, active_users=1),
}


async def test_the_log_is_counted_by_day_and_month(database: Database, store: SqlUsage) -> None:
    await talk(database)
    metering = Metering(store, lambda: 0)
    await metering.catch_up()
    await metering.catch_up()
    assert await everything(store) == EXPECTED
    assert metering.counted_total == 5
    assert await store.active(APP, "2026-11", ["ann", "bob", "cy", "dee"]) == {"ann", "bob", "cy"}


async def test_pages_and_crashes_between_them_do_not_show(
    database: Database, store: SqlUsage
) -> None:
    await talk(database)
    while (page := await store.page(1)).events:
        delta = count(page.rows)
        outcomes = await asyncio.gather(*(store.add(page, delta) for _ in range(3)))
        assert sorted(outcomes) == [False, False, True], "one of three nodes counts a page"
        assert not await store.add(page, delta), "nor does who comes back after a crash"
    assert await everything(store) == EXPECTED


async def test_it_can_be_rebuilt_from_the_log(database: Database, store: SqlUsage) -> None:
    await talk(database)
    await Metering(store, lambda: 0).catch_up()
    await store.connected("n", {APP: (1, 4)}, TUESDAY, 0)
    await store.rebuild()
    assert (await everything(store))["2026-11"] == Totals(connections=4)
    await Metering(store, lambda: 0).catch_up()
    found = await everything(store)
    assert found["2026-11"] == replace(EXPECTED["2026-11"], connections=4)
    assert found["2026-12"] == EXPECTED["2026-12"]


async def test_peaks_add_up_over_living_nodes(store: SqlUsage) -> None:
    await store.connected("a", {APP: (3, 3)}, TUESDAY, TUESDAY - 60)
    await store.connected("b", {APP: (2, 4)}, TUESDAY + 1, TUESDAY - 59)
    assert (await store.totals(APP, ["2026-11-24"]))["2026-11-24"].connections == 7
    await store.connected("a", {APP: (1, 1)}, TUESDAY + 2, TUESDAY - 58)
    assert (await store.totals(APP, ["2026-11"]))["2026-11"].connections == 7, "a peak stays"
    state = await store.state("2026-11", "a", TUESDAY)
    assert state.connections == {APP: 2}
    later = TUESDAY + 86_400_000
    await store.connected("a", {APP: (3, 3)}, later, later - 60)
    assert (await store.totals(APP, ["2026-11-25"]))["2026-11-25"].connections == 3, "b is dead"


async def test_bytes_are_those_kept_now(database: Database, store: SqlUsage) -> None:
    records = SqlFiles(database)
    for number, state in enumerate(["ready", "ready", "uploading"]):
        await records.create(file(number, state))
    await store.stored(MONDAY)
    await records.delete("f_0")
    await store.stored(TUESDAY)
    await store.stored(TUESDAY)
    found = await everything(store)
    assert found["2026-11-23"].stored_bytes == 20
    assert found["2026-11-24"].stored_bytes == 10
    assert found["2026-11"].stored_bytes == 10
    await records.delete("f_1")
    await store.stored(TUESDAY)
    assert (await everything(store))["2026-11"].stored_bytes == 0


def file(number: int, state: str) -> File:
    return File(
        id=f"f_{number}",
        app=APP,
        sender="ann",
        client_id=f"{number}",
        conversation="c",
        room=None,
        name="a",
        size=10,
        type="x/y",
        sha256=f"{number:064x}",
        state=state,  # type: ignore[arg-type]
        created_at=1,
        touched_at=1,
    )


async def test_a_threshold_is_told_once_a_period(database: Database, store: SqlUsage) -> None:
    await SqlApps(database).create(App(id=APP, name="Acme", created_at=1))
    hook = Webhook(
        id="wh", app=APP, url="https://x", events=("usage:*",), sealed=b"s", created_at=1
    )
    await SqlWebhooks(database).put(hook)
    notice = Notice(
        app=APP, metric="messages", level="warning", period="2026-11", used=8, limit=10, at=5
    )
    assert sorted(await asyncio.gather(*(store.notice(notice) for _ in range(3)))) == [
        False,
        False,
        True,
    ]
    exceeded = replace(notice, level="exceeded", used=10, at=6)
    assert await store.notice(exceeded)
    assert await store.notice(replace(notice, period="2026-12", at=7))
    assert await store.notices(APP, ["2026-11"]) == [notice, exceeded]
    assert await SqlNews(database).take(9, deliveries_of) == 3


async def test_plans_are_assigned_to_apps_that_exist(database: Database, store: SqlUsage) -> None:
    await SqlApps(database).create(App(id=APP, name="Acme", created_at=1))
    assert await store.plan(APP) is None
    await store.assign(APP, "pro", 1)
    await store.assign(APP, "free", 2)
    assert await store.plan(APP) == "free"
    assert (await store.state("2026-11", "n", 0)).plans == {APP: "free"}
    with pytest.raises(Refused, match="no such app"):
        await store.assign("none", "pro", 1)


async def test_who_was_active_long_ago_is_forgotten_but_counted(
    database: Database, store: SqlUsage
) -> None:
    await talk(database)
    await Metering(store, lambda: 0).catch_up()
    await store.prune(NEXT)
    assert await store.active(APP, "2026-11", ["ann"]) == set()
    assert await store.active(APP, "2026-11-24", ["ann"]) == set()
    assert await store.active(APP, "2026-12", ["ann"]) == {"ann"}
    assert await everything(store) == EXPECTED


async def test_a_long_log_is_counted_in_pieces(
    database: Database, store: SqlUsage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await talk(database)
    monkeypatch.setattr("signaling.outbox.metering.PAGE", 2)
    metering = Metering(store, lambda: 0)
    await metering.catch_up(1)
    assert metering.counted_total == 2
    await metering.catch_up()
    assert await everything(store) == EXPECTED

"""Jobs, personal data and retention: one suite, on every database."""

from typing import Any

import pytest
from msgspec.structs import replace

from signaling.adapters.sql import Database, SqlConversations, SqlLog, SqlSearch, SqlUsers
from signaling.adapters.sql.jobs import ENDED_EARLY, SqlJobs
from signaling.adapters.sql.personal import SqlPersonal
from signaling.adapters.sql.retention import SqlRetention
from signaling.model import App, Change, Event
from signaling.privacy import retention
from signaling.privacy.job import Job
from signaling.privacy.retention import DAY_MS, ROUND_S, Retention
from tests.making import APP, conversation, group, member, message


def job(number: int, **changes: object) -> Job:
    fields: dict[str, object] = {
        "id": f"job_{number}",
        "app": APP,
        "kind": "export",
        "user": f"user{number}",
        "created_at": number,
        "updated_at": number,
        **changes,
    }
    return Job(**fields)  # type: ignore[arg-type]


@pytest.fixture
def jobs(database: Database) -> SqlJobs:
    return SqlJobs(database)


async def test_a_job_is_asked_for_once_until_it_is_finished(jobs: SqlJobs) -> None:
    first = await jobs.put(job(1))
    assert await jobs.put(job(2, user="user1")) == first
    assert (await jobs.put(job(3, user="user1", kind="erase"))).id == "job_3"
    taken = await jobs.take("one", 10, 20, 9)
    assert taken is not None
    assert await jobs.finish(replace(taken, state="done"), "one")
    assert (await jobs.put(job(4, user="user1"))).id == "job_4"


async def test_a_job_has_one_holder_until_its_time_is_over(jobs: SqlJobs) -> None:
    await jobs.put(job(1))
    taken = await jobs.take("one", 10, 20, 9)
    assert taken == job(1, state="running", attempts=1, updated_at=10)
    assert await jobs.take("two", 19, 30, 9) is None
    assert await jobs.keep("job_1", "one", 19, 25, 7)
    assert await jobs.take("two", 24, 30, 9) is None
    again = await jobs.take("two", 25, 35, 9)
    assert again is not None
    assert again.attempts == 2
    assert not await jobs.keep("job_1", "one", 26, 40, 8)
    assert not await jobs.finish(replace(again, state="failed"), "one")
    assert await jobs.finish(replace(again, state="done", result="k", expires_at=50), "two")
    assert await jobs.take("two", 99, 100, 9) is None
    assert [found.id for found in await jobs.expired(50, 9)] == ["job_1"]
    await jobs.forget_result("job_1")
    assert await jobs.expired(50, 9) == []


async def test_a_job_that_ended_its_processes_is_given_up(jobs: SqlJobs) -> None:
    await jobs.put(job(1))
    await jobs.put(job(2))
    for attempt in (1, 2):
        taken = await jobs.take("one", attempt * 10, attempt * 10 + 5, 2)
        assert (taken.id, taken.attempts) == ("job_1", attempt) if taken else False
        await jobs.keep("job_1", "one", attempt, attempt * 10 + 5, 0)  # before the others again
    taken = await jobs.take("one", 30, 35, 2)
    assert (taken.id, taken.attempts) == ("job_2", 1) if taken else False
    failed = await jobs.get("job_1")
    assert failed is not None
    assert (failed.state, failed.error) == ("failed", ENDED_EARLY)


async def test_a_job_that_failed_waits_before_it_is_tried_again(jobs: SqlJobs) -> None:
    await jobs.put(job(1))
    taken = await jobs.take("one", 10, 20, 9)
    assert taken is not None
    assert await jobs.finish(replace(taken, state="queued", error="x"), "one", 50)
    assert await jobs.take("two", 49, 60, 9) is None
    again = await jobs.take("two", 50, 60, 9)
    assert again is not None
    assert again.attempts == 2


async def test_exports_are_called_off_and_found(jobs: SqlJobs) -> None:
    for number, changes in enumerate(({}, {"kind": "erase"}, {"user": "bob"}), start=1):
        await jobs.put(job(number, **{"user": "ann", **changes}))
    taken = await jobs.take("one", 10, 20, 9)
    assert taken is not None
    await jobs.call_off(APP, "ann", "erased", 15)
    assert not await jobs.keep(taken.id, "one", 16, 30, 0)
    assert not await jobs.finish(replace(taken, state="done", result="k"), "one")
    states = {found.id: found.state for found in await jobs.all(APP, None, 9)}
    assert states == {"job_1": "failed", "job_2": "queued", "job_3": "queued"}
    bob = await jobs.take("one", 20, 30, 9)
    while bob is not None and bob.user != "bob":
        bob = await jobs.take("one", 20, 30, 9)
    assert bob is not None
    assert await jobs.finish(replace(bob, state="done", result="k"), "one")
    assert [found.id for found in await jobs.exports(APP, "bob")] == ["job_3"]
    assert [found.id for found in await jobs.exports(APP, "ann")] == ["job_1"]


async def test_jobs_are_listed_by_app_and_page(jobs: SqlJobs) -> None:
    for number in range(1, 4):
        await jobs.put(job(number))
    await jobs.put(job(9, app="other"))
    page = await jobs.all(APP, None, 2)
    assert [found.id for found in page] == ["job_3", "job_2"]
    assert [found.id for found in await jobs.all(APP, page[-1].id, 2)] == ["job_1"]


def texts(events: list[Event]) -> list[str | None]:
    return [None if e.data["body"] is None else e.data["body"]["text"] for e in events]


async def test_what_a_user_said_is_blanked_and_nothing_else(database: Database) -> None:
    log, personal, search = SqlLog(database), SqlPersonal(database), SqlSearch(database)
    conversations = SqlConversations(database)
    name = await group(conversations, "ann", "bob")
    for number in range(5):
        data: dict[str, Any] = {"sender_name": "Ann", "mentions": ["bob"]}
        await log.append(message(name, "ann", f"a{number}", text="secret word", **data))
        await log.append(message(name, "bob", f"b{number}", text="bob's word"))
    await search.index()
    first = await personal.blank(APP, "ann", "", 3, now=7)
    assert (len(first.events), first.next) == (3, "a2")
    second = await personal.blank(APP, "ann", "a2", 3, now=7)
    assert (len(second.events), second.next) == (2, None)
    assert (await personal.blank(APP, "ann", "", 9, now=8)).events == []
    events = await log.read(name, limit=99)
    assert [event.seq for event in events] == list(range(1, 11))
    assert texts(events) == [None, "bob's word"] * 5
    assert events[0].data["erased"]
    assert "sender_name" not in events[0].data
    assert "mentions" not in events[0].data
    found, _ = await search.find(APP, "bob", "word", None, 2**53, 99)
    assert {event.sender for event in found} == {"bob"}
    standing = await conversations.standing(APP, name, "bob")
    assert standing is not None
    assert standing.mentions == 0


async def test_what_a_user_did_to_messages_comes_in_stretches(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.adapters.sql.personal.STRETCH", 2)
    log, personal = SqlLog(database), SqlPersonal(database)
    name = await group(SqlConversations(database), "ann", "bob")
    for number, (user, kind) in enumerate(
        [("ann", "message:created"), ("bob", "reaction:changed"), ("bob", "message:created"),
         ("ann", "reaction:changed"), ("ann", "message:edited")]
    ):  # fmt: skip
        await log.append(replace(message(name, user, f"{number}"), type=kind))
    first = await personal.marks(name, "ann", 0)
    assert (first.events, first.next) == ([], 2)
    second = await personal.marks(name, "ann", 2)
    assert ([event.seq for event in second.events], second.next) == ([4], 4)
    third = await personal.marks(name, "ann", 4)
    assert ([event.seq for event in third.events], third.next) == ([5], None)


async def test_who_inherits_a_conversation(database: Database) -> None:
    conversations, personal = SqlConversations(database), SqlPersonal(database)
    name = "c_1"
    seats = [
        member(name, "ann", "owner"),
        replace(member(name, "bob"), joined_at=5),
        replace(member(name, "cy"), joined_at=4),
        member(name, "dee", "guest"),
    ]
    await conversations.create(conversation(name), seats, [])
    assert await personal.heir(name, "ann") == "cy"
    admin = replace(member(name, "eve", "admin"), joined_at=9)
    await conversations.decide(APP, name, ["eve"], lambda _: Change(members=(admin,)))
    assert await personal.heir(name, "ann") == "eve"
    gone = [replace(seat, left_at=9) for seat in (*seats[1:3], admin)]
    users = ["bob", "cy", "eve"]
    await conversations.decide(APP, name, users, lambda _: Change(members=tuple(gone)))
    assert await personal.heir(name, "ann") is None


async def test_a_user_is_forgotten_in_their_app_only(database: Database) -> None:
    users, personal = SqlUsers(database), SqlPersonal(database)
    for app in (APP, "other"):
        await users.seen(app, "ann", "phone", "Ann", 1)
        await users.block(app, "ann", "eve", "d", 9)
    assert (await personal.profile(APP, "ann"))["blocks"] == ["eve"]
    await personal.forget(APP, "ann")
    gone = await personal.profile(APP, "ann")
    assert gone["user"] is None
    assert not any(gone.values()), gone
    kept = await personal.profile("other", "ann")
    assert (kept["user"]["name"], len(kept["devices"])) == ("Ann", 1)


class Apps:
    """One tenant."""

    def __init__(self, **settings: object) -> None:
        self._settings = settings

    async def all(self) -> list[App]:
        return [App(id=APP, name="Acme", created_at=0, settings=self._settings)]


def no_time_passes() -> float:
    """A round has an end, and a look that took long is followed by a rest: not in these tests."""
    return 0.0


async def test_old_messages_are_blanked_by_type_and_by_conversation(database: Database) -> None:
    log, conversations = SqlLog(database), SqlConversations(database)
    names = [await group(conversations, "ann"), await group(conversations, "ann", type="channel")]
    own = conversation("c_own", settings={"retention_days": 5})
    names.append(await group(conversations, "ann", name=own.id, settings=own.settings))
    for name in names:
        for day in (1, 6, 11):
            await log.append(message(name, "ann", f"{name}{day}", text=f"{day}", at=day * DAY_MS))
    clock = 12 * DAY_MS
    apps = Apps(retention_days={"group": 10})
    retention = Retention(apps, SqlRetention(database), lambda: clock, no_time_passes)
    await retention.round()
    await retention.round()
    assert texts(await log.read(names[0], limit=9)) == [None, "6", "11"]
    assert texts(await log.read(names[1], limit=9)) == ["1", "6", "11"]
    assert texts(await log.read(names[2], limit=9)) == [None, None, "11"]
    clock = 30 * DAY_MS
    await retention.round()
    assert texts(await log.read(names[0], limit=9)) == [None, None, None]


class Tenants:
    """Several tenants, all with the same setting."""

    def __init__(self, *names: str) -> None:
        self._names = names

    async def all(self) -> list[App]:
        days = {"retention_days": {"group": 1}}
        return [App(id=name, name=name, created_at=0, settings=days) for name in self._names]


class Watched(SqlRetention):
    """Whose messages were blanked, in order; each transaction takes a while on the `clock`."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.blanked: list[str] = []
        self.now_s = 0.0

    async def blank(self, conversation: str, before: int, limit: int) -> int:
        self.blanked.append(conversation)
        self.now_s += ROUND_S / 4
        return await super().blank(conversation, before, limit)


async def test_a_busy_app_leaves_others_their_turn(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "EVENTS_AT_ONCE", 20)
    log, old = SqlLog(database), Watched(database)
    conversations = SqlConversations(database)
    for app, count in (("busy", 5 * 20), ("calm", 1)):
        await group(conversations, "ann", name=f"c_{app}", app=app)
        for number in range(count):
            await log.append(message(f"c_{app}", "ann", f"{number}", app=app, at=1))
    tenants = Tenants("busy", "calm")
    keeper = Retention(tenants, old, lambda: 9 * DAY_MS, lambda: old.now_s)
    await keeper.round()
    assert old.blanked == ["c_busy", "c_calm", "c_busy", "c_busy"]
    for _ in range(3):
        await keeper.round()
    assert old.blanked.count("c_busy") == 6  # the last finds nothing
    assert await old.overdue({"c_busy": 2, "c_calm": 2}) == []


async def test_more_conversations_than_a_page_are_looked_through_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PAGE", 30)
    log, conversations = SqlLog(database), SqlConversations(database)
    names = [await group(conversations, "ann", name=f"c_{number:04}") for number in range(50)]
    for name in (names[0], names[-1]):
        await log.append(message(name, "ann", name, at=1))
    tenants = Tenants(APP)
    old = SqlRetention(database)
    await Retention(tenants, old, lambda: 9 * DAY_MS, no_time_passes).round()
    for name in (names[0], names[-1]):
        assert texts(await log.read(name, limit=9)) == [None]


async def test_a_long_past_is_blanked_in_pages(database: Database) -> None:
    log = SqlLog(database)
    name = await group(SqlConversations(database), "ann")
    for number in range(25):
        await log.append(message(name, "ann", f"{number}", at=1))
    old = SqlRetention(database)
    assert await old.overdue({name: 2}) == [name]
    assert await old.blank(name, 2, 20) == 20
    assert await old.blank(name, 2, 20) == 5
    assert await old.overdue({name: 2}) == []

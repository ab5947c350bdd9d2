"""Web Push rows, on every database."""

import pytest

from signaling.adapters.sql import Database, SqlConversations, SqlUsers
from signaling.adapters.sql.outbox import SqlOutbox
from signaling.adapters.sql.push import SqlPushes, SqlSubscriptions
from signaling.model import Change, Member, Scene
from signaling.outbox.push import Push, Subscription
from signaling.outbox.push_collector import subscription_of
from tests.making import APP, group


@pytest.fixture
def browsers(database: Database) -> SqlSubscriptions:
    return SqlSubscriptions(database)


@pytest.fixture
def pushes(database: Database) -> SqlPushes:
    return SqlPushes(database)


def browser(
    user: str, name: str, *, app: str = APP, device: str = "d", at: int = 1
) -> Subscription:
    return subscription_of(app, user, device, f"https://push.example/{name}", "p", "a", at)


def push(to: Subscription, name: str = "p", *, expires_at: int = 1_000) -> Push:
    return Push(
        id=name,
        subscription=to.id,
        app=to.app,
        body="{}",
        topic="t",
        urgent=True,
        expires_at=expires_at,
    )


async def test_a_browser_belongs_to_who_used_it_last(
    browsers: SqlSubscriptions, pushes: SqlPushes
) -> None:
    await browsers.put(browser("ann", "x"), 9)
    await pushes.add([push(browser("ann", "x"))])
    await browsers.put(browser("bob", "x", at=2), 9)
    assert await browsers.of(APP, "ann") == []
    assert await browsers.of(APP, "bob") == [browser("bob", "x", at=2)]
    assert await pushes.due(5, 9) == [], "what was for ann is not shown to bob"
    other = browser("ann", "x", app="other")
    await browsers.put(other, 9)
    assert await browsers.of("other", "ann") == [other]
    assert len(await browsers.of(APP, "bob")) == 1


async def test_only_the_newest_are_kept(browsers: SqlSubscriptions) -> None:
    for at in range(1, 5):
        await browsers.put(browser("ann", f"{at}", at=at), 3)
    assert [one.created_at for one in await browsers.of(APP, "ann")] == [2, 3, 4]


async def test_one_removes_one_s_own(browsers: SqlSubscriptions, pushes: SqlPushes) -> None:
    await browsers.put(browser("ann", "x"), 9)
    assert await pushes.anybody()
    assert await pushes.any({APP, "other"}) == {APP}
    assert not await browsers.remove(APP, "bob", "https://push.example/x")
    assert await browsers.remove(APP, "ann", "https://push.example/x")
    assert await pushes.any({APP}) == set()
    assert not await pushes.anybody()


async def test_a_push_is_due_until_it_is_done_or_over(
    browsers: SqlSubscriptions, pushes: SqlPushes
) -> None:
    mine = browser("ann", "x")
    await browsers.put(mine, 9)
    await pushes.add([push(mine), push(mine, "short", expires_at=20)])
    await pushes.add([push(mine)])
    assert {one.id for one, _ in await pushes.due(10, 9)} == {"p", "short"}
    await pushes.put_off("p", 30)
    assert [(one.id, to) for one, to in await pushes.due(10, 9)] == [("short", mine)]
    ((later, _),) = await pushes.due(30, 9)
    assert (later.id, later.attempts) == ("p", 1)
    assert await pushes.due(30, 9, [APP]) == []
    await pushes.done("p")
    assert await pushes.due(30, 9) == []


async def test_a_browser_that_is_gone_takes_its_pushes_along(
    browsers: SqlSubscriptions, pushes: SqlPushes
) -> None:
    mine = browser("ann", "x")
    await browsers.put(mine, 9)
    await pushes.add([push(mine)])
    await browsers.drop(mine.id)
    await browsers.put(mine, 9)
    assert await pushes.due(10, 9) == []


async def test_a_page_of_the_log_is_queued_once(
    database: Database, browsers: SqlSubscriptions, pushes: SqlPushes
) -> None:
    mine = browser("ann", "x")
    await browsers.put(mine, 9)
    await pushes.enqueue("push", 5, [push(mine, "a")], [])
    await pushes.enqueue("push", 5, [push(mine, "b")], [])
    assert [one.id for one, _ in await pushes.due(10, 9)] == ["a"]
    assert await SqlOutbox(database).position("push") == 5


async def test_who_may_be_woken(
    database: Database, browsers: SqlSubscriptions, pushes: SqlPushes
) -> None:
    conversations, users = SqlConversations(database), SqlUsers(database)
    name = await group(conversations, "ann", "bob", "cy", "dee", "eve")
    for user in ("ann", "bob", "cy", "dee"):
        await browsers.put(browser(user, user, device=f"{user}-phone"), 9)
    await browsers.put(browser("bob", "bob-2", at=2), 9)
    await users.block(APP, "cy", "ann", "d", 9)
    await users.seen(APP, "dee", "dee-phone", None, 1)
    await users.revoke_device(APP, "dee", "dee-phone", 2)

    def silent(scene: Scene) -> Change:
        member: Member = scene.members["bob"]
        changed = {"silent_until": 9}
        return Change(members=(type(member)(**{**_fields(member), "preferences": changed}),))

    await conversations.decide(APP, name, ["bob"], silent)
    (bob,) = await pushes.targets(name, "ann", subscribed=True, limit=9)
    assert (bob.user, bob.preferences) == ("bob", {"silent_until": 9})
    assert [one.endpoint[-3:] for one in bob.subscriptions] in (["bob", "b-2"], ["b-2", "bob"])
    everyone = await pushes.targets(name, "ann", subscribed=False, limit=9)
    assert {one.user: len(one.subscriptions) for one in everyone} == {"bob": 2, "dee": 0, "eve": 0}
    assert await pushes.targets(name, "ann", subscribed=True, limit=0) == []


def _fields(member: Member) -> dict[str, object]:
    return {name: getattr(member, name) for name in member.__struct_fields__}

"""Everybody comes back at once: what each is told is what they would be told alone."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection

from signaling.adapters.presence_view import Kept
from signaling.adapters.sql import (
    Database,
    SqlApps,
    SqlConversations,
    SqlLog,
    SqlPresences,
    SqlRevocations,
    SqlUsers,
    missed,
)
from signaling.adapters.sql.moderation import SqlBans
from signaling.adapters.sql.privacies import SqlPrivacies
from signaling.auth.revocation import Revocation
from signaling.errors import Refused
from signaling.model import App, AuditEntry
from signaling.moderation.ban import Ban
from signaling.moderation.privacy import Chosen
from signaling.ports import Missed
from tests.making import APP, group, message

T = TypeVar("T")
CROWD = 40


class Counted:
    """A database that knows how often it was asked."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.dialect = database.dialect
        self.asked = 0

    @property
    def written(self) -> int:
        return self._database.written

    async def write(self, op: Callable[[Connection], T]) -> T:
        self.asked += 1
        return await self._database.write(op)

    async def read(self, op: Callable[[Connection], T]) -> T:
        self.asked += 1
        return await self._database.read(op)

    async def close(self) -> None:
        await self._database.close()


async def test_a_crowd_asks_the_database_a_few_times(database: Database) -> None:
    counted = Counted(database)
    conversations, log, users = SqlConversations(counted), SqlLog(counted), SqlUsers(counted)
    apps, presences = SqlApps(counted), SqlPresences(counted)
    revocations, bans = SqlRevocations(counted), SqlBans(counted)
    privacies = SqlPrivacies(counted)

    async def come_and_go(user: str) -> None:
        await apps.key("key")
        await revocations.names(APP, user, None, 1)
        await bans.get(APP, user)
        await users.seen(APP, user, "phone", user, 1)
        await conversations.reaches(APP, user)
        await presences.read(APP, [user])
        await log.since(APP, user, 0, {}, 300)
        await conversations.totals(APP, user)
        await privacies.of(APP, [user])
        await presences.write(APP, user, Kept(last_seen=1))

    await asyncio.gather(*(come_and_go(f"u{n}") for n in range(CROWD)))
    assert counted.asked <= 4 * 10
    assert len(await users.names(APP, [f"u{n}" for n in range(CROWD)])) == CROWD


async def test_each_gets_what_they_missed(database: Database) -> None:
    """Of conversations in common and of their own, from wherever they left off."""
    conversations, log = SqlConversations(database), SqlLog(database)
    users = [f"u{n}" for n in range(CROWD)]
    shared = await group(conversations, *users)
    own = {user: await group(conversations, user) for user in users[::2]}
    cursors = {}
    for user in users:
        await log.append(message(shared, user, f"{user} shared"))
        cursors[user] = (await log.tail(-1, 0))[1]
        if user in own:
            await log.append(message(own[user], user, f"{user} own"))
    known = {user: {shared: n} for n, user in enumerate(users) if n % 3 == 0}

    async def since(user: str) -> Missed:
        return await log.since(APP, user, cursors[user], known.get(user, {}), 10)

    alone = [await since(user) for user in users]
    assert await asyncio.gather(*map(since, users)) == alone
    for n, found in enumerate(alone):
        after = n if n % 3 == 0 else n + 1
        mine = {gap.standing.conversation.id: gap for gap in found.gaps}
        there = [event.seq for event in mine[shared].events] if shared in mine else []
        assert there == list(range(after + 1, min(CROWD, after + 10) + 1))
        assert shared not in mine or mine[shared].limited == (after + 10 < CROWD)
        assert users[n] not in own or [e.seq for e in mine[own[users[n]]].events] == [1]


async def test_too_much_for_one_answer_comes_in_several(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missed, "EVENTS_AT_ONCE", 5)
    conversations, log = SqlConversations(database), SqlLog(database)
    users = [f"u{n}" for n in range(9)]
    for user in users:
        name = await group(conversations, user)
        for n in range(4):
            await log.append(message(name, "eve", f"{user} {n}"))
    found = await asyncio.gather(*(log.since(APP, user, 0, {}, 300) for user in users))
    assert [[event.seq for event in one.gaps[0].events] for one in found] == [[1, 2, 3, 4]] * 9


async def test_a_cursor_of_another_log_is_no_trouble_of_the_others(database: Database) -> None:
    conversations, log = SqlConversations(database), SqlLog(database)
    name = await group(conversations, "ann", "bob")
    await log.append(message(name, "eve", "x"))
    asked = (("ann", 99), ("bob", 0), ("eve", 0))
    found = await asyncio.gather(*(log.since(APP, u, at, {name: 0}, 9) for u, at in asked))
    assert [(one.known, len(one.gaps)) for one in found] == [(False, 0), (True, 1), (True, 0)]


async def test_each_is_seen_but_who_was_signed_out(database: Database) -> None:
    users = SqlUsers(database)
    await users.seen(APP, "u0", "phone", "Old", 1, label="Phone")
    await users.seen(APP, "u1", "phone", "Out", 1)
    assert await users.revoke_device(APP, "u1", "phone", 10)
    visits: tuple[tuple[str, str | None, str | None, dict[str, Any]], ...] = (
        ("u0", "phone", None, {}),
        ("u1", "phone", "Not me", {"issued_at": 10}),
        ("u1", "laptop", None, {}),
        ("u2", "phone", "New", {"label": "Mine"}),
        ("u2", "phone", None, {}),
        ("u2", "watch", None, {}),
        ("u3", None, None, {}),
    )
    coming = (users.seen(APP, u, d, name, 20, **more) for u, d, name, more in visits)
    told = await asyncio.gather(*coming, return_exceptions=True)
    assert [type(one) for one in told].count(Refused) == 1
    assert isinstance(told[1], Refused)
    names = await users.names(APP, ["u0", "u1", "u2", "u3"])
    assert names == {"u0": "Old", "u1": "Out", "u2": "New"}
    for user, devices in (
        ("u0", {("phone", 20, None, "Phone")}),
        ("u1", {("phone", 1, 10, None), ("laptop", 20, None, None)}),
        ("u2", {("phone", 20, None, "Mine"), ("watch", 20, None, None)}),
        ("u3", set()),
    ):
        found = await users.devices(APP, user)
        assert {(d.device, d.seen_at, d.revoked_at, d.name) for d in found} == devices


async def test_only_what_was_taken_back_is(database: Database) -> None:
    store = SqlRevocations(database)
    for taken in (
        Revocation(app=APP, at=10, user="all"),
        Revocation(app=APP, at=10, user="one", device="phone"),
        Revocation(app=APP, at=10, jti="j1"),
        Revocation(app="other", at=10, user="ann"),
        Revocation(app=APP, at=10, key="k1"),
    ):
        await store.put(taken, 99)
    asked = {
        ("all", None, 10, None): True,
        ("all", None, 11, None): False,
        ("all", "j9", 9, "phone"): True,
        ("one", None, 9, "phone"): True,
        ("one", None, 9, "watch"): False,
        ("one", None, 9, None): False,
        ("ann", "j1", 99, None): True,
        ("ann", "j2", 9, None): False,
        ("ann", None, 9, None): False,
    }
    told = await asyncio.gather(*(store.names(APP, *token) for token in asked))
    assert dict(zip(asked, told, strict=True)) == asked


async def test_only_who_is_banned_is(database: Database) -> None:
    bans = SqlBans(database)
    entry = AuditEntry(app=APP, at=1, actor="operator", action="user:banned")
    mine = Ban(app=APP, user="bob", until=9, reason="noise", by="operator", at=1)
    await SqlApps(database).create(App(id=APP, name="Acme", created_at=1))
    await bans.put(mine, entry)
    told = await asyncio.gather(*(bans.get(APP, user) for user in ("ann", "bob", "eve", "bob")))
    assert told == [None, mine, None, mine]


async def test_presence_is_each_ones_own(database: Database) -> None:
    users, presences = SqlUsers(database), SqlPresences(database)
    kept = {user: Kept(mode="busy", text=user) for user in ("ann", "bob")}
    for user, one in kept.items():
        await users.seen(APP, user, None, None, 1)
        await presences.write(APP, user, one)
    asked = (["ann"], ["eve"], ["bob", "ann"], [])
    told = await asyncio.gather(*(presences.read(APP, names) for names in asked))
    assert told == [{"ann": kept["ann"]}, {}, kept, {}]
    assert await presences.read("other", ["ann"]) == {}


async def test_a_name_that_cannot_be_is_no_trouble_of_the_others(database: Database) -> None:
    """PostgreSQL keeps no zero characters, so nobody has it there."""
    users, presences = SqlUsers(database), SqlPresences(database)
    await users.seen(APP, "ann", None, None, 1)
    writes = (presences.write(APP, user, Kept(text=user)) for user in ("ann", "b\0b"))
    await asyncio.gather(*writes, return_exceptions=True)
    asked = (presences.read(APP, [user]) for user in ("ann", "b\0b", "eve"))
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert (told[0], told[2]) == ({"ann": Kept(text="ann")}, {})
    assert told[1] == {} or (isinstance(told[1], Refused) and told[1].code == "bad_request")


async def test_what_users_said_as_they_went_is_kept_of_each(database: Database) -> None:
    users, presences = SqlUsers(database), SqlPresences(database)
    names = [f"u{n}" for n in range(CROWD)]
    for name in names[1:]:
        await users.seen(APP, name, None, None, 1)
    for said in ("first", "second"):
        kept = {name: Kept(text=f"{said} {name}", last_seen=7) for name in names}
        await asyncio.gather(*(presences.write(APP, *one) for one in kept.items()))
    await asyncio.gather(*(presences.write(APP, "u1", Kept(text=f"{n}")) for n in range(9)))
    kept["u1"] = Kept(text="8")
    del kept["u0"]  # who is not there
    assert await presences.read(APP, names) == kept


async def test_what_users_chose_is_each_ones_own(database: Database) -> None:
    privacies = SqlPrivacies(database)
    chosen = {"ann": Chosen(presence="nobody"), "bob": Chosen(last_seen="nobody")}
    for user, one in chosen.items():
        await privacies.put(APP, user, one)
    asked = (["ann"], ["eve"], ["bob", "ann"], [])
    told = await asyncio.gather(*(privacies.of(APP, names) for names in asked))
    assert told == [{"ann": chosen["ann"]}, {}, chosen, {}]

"""The audit trail: one suite, on every database."""

import asyncio

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from signaling.adapters.sql import Database, open_database
from signaling.adapters.sql.audit import SqlAudit
from signaling.audit.chain import Verdict, hash_of
from signaling.errors import Refused
from signaling.model import AuditEntry
from tests.making import APP

SQLITE = "DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"


def entry(number: int, **changes: object) -> AuditEntry:
    fields: dict[str, object] = {
        "app": APP,
        "at": 1_000 + number,
        "actor": "key:k",
        "action": "key:created" if number % 2 else "member:banned",
        "subject": f"subject-{number}",
        "details": {"number": number, "reason": "粗口\u0000"},
        **changes,
    }
    return AuditEntry(**fields)  # type: ignore[arg-type]


async def write(trail: SqlAudit, count: int) -> Verdict:
    for number in range(1, count + 1):
        await trail.append(entry(number))
    return await trail.verify(APP)


async def tamper(database: Database, statement: str) -> Verdict:
    """As whoever owns the database can: triggers first."""

    def op(connection: Connection) -> None:
        drops = SQLITE if database.dialect == "sqlite" else tuple(f"{s} ON audit" for s in SQLITE)
        for drop in drops:
            connection.execute(text(drop))
        assert connection.execute(text(statement)).rowcount > 0

    await database.write(op)
    return await SqlAudit(database).verify(APP)


async def test_records_are_chained_and_paged(database: Database) -> None:
    trail = SqlAudit(database)
    whole = await write(trail, 5)
    assert (whole.records, whole.broken_at) == (5, None)
    newest = await trail.page(APP, None, 2)
    assert [record.number for record in newest] == [5, 4]
    assert [record.number for record in await trail.page(APP, 4, 9)] == [3, 2, 1]
    assert [record.number for record in await trail.page(APP, None, 9, "key:*")] == [5, 3, 1]
    assert [record.number for record in await trail.page(APP, None, 9, "member:banned")] == [4, 2]
    assert newest[0].hash == whole.head
    assert newest[0].previous == newest[1].hash


async def test_each_app_has_its_own_trail(database: Database) -> None:
    trail = SqlAudit(database)
    await write(trail, 2)
    other = await trail.append(entry(1, app="other"))
    assert other.number == 1
    assert await trail.apps() == [APP, "other"]
    assert [record.app for record in await trail.page("other", None, 9)] == ["other"]


async def test_writers_on_two_nodes_chain_one_after_the_other(database_url: str) -> None:
    one, two = await open_database(database_url), await open_database(database_url)
    try:
        trails = SqlAudit(one), SqlAudit(two)
        await asyncio.gather(*(trails[n % 2].append(entry(n)) for n in range(40)))
        verdict = await trails[0].verify(APP)
        assert (verdict.records, verdict.broken_at) == (40, None)
    finally:
        await one.close()
        await two.close()


async def test_a_trail_longer_than_a_page_is_verified(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.adapters.sql.audit.PAGE", 3)
    for count in (3, 4):
        assert (await write(SqlAudit(database), count)).broken_at is None


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'eve'", "DELETE FROM audit"])
async def test_the_database_refuses_to_change_it(database: Database, statement: str) -> None:
    await write(SqlAudit(database), 1)
    with pytest.raises((DBAPIError, Refused)):
        await database.write(lambda c: c.execute(text(statement)).rowcount)
    assert (await SqlAudit(database).verify(APP)).records == 1


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE audit SET actor = 'eve' WHERE number = 2", 2),
        ("UPDATE audit SET details = '{}' WHERE number = 3", 3),
        ("UPDATE audit SET at = at + 1 WHERE number = 1", 1),
        ("UPDATE audit SET previous = hash WHERE number = 2", 2),
        ("UPDATE audit SET number = 9 WHERE number = 2", 3),
        ("DELETE FROM audit WHERE number = 2", 3),
        ("DELETE FROM audit WHERE number = 4", 4),
        ("DELETE FROM audit", 1),
    ],
)
async def test_whatever_was_changed_is_found(
    database: Database, statement: str, broken_at: int
) -> None:
    await write(SqlAudit(database), 4)
    verdict = await tamper(database, statement)
    assert verdict.broken_at == broken_at
    assert verdict.problem


async def test_a_record_rewritten_with_its_hash_breaks_the_next(database: Database) -> None:
    trail = SqlAudit(database)
    await write(trail, 3)
    (forged,) = await trail.page(APP, 3, 1)
    changed = hash_of(replace(forged, actor="key:other"))
    verdict = await tamper(
        database, f"UPDATE audit SET actor = 'key:other', hash = '{changed}' WHERE number = 2"
    )
    assert (verdict.broken_at, verdict.records) == (3, 2)


async def test_a_hash_holds_the_one_before_it(database: Database) -> None:
    trail = SqlAudit(database)
    await write(trail, 3)
    (third,) = await trail.page(APP, None, 1)
    assert hash_of(replace(third, previous="f" * 64)) != third.hash
    await tamper(database, f"UPDATE audit SET hash = '{'f' * 64}' WHERE number = 2")
    verdict = await trail.verify(APP)
    assert verdict.broken_at == 2

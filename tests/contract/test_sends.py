"""client_ids are used for ever, wherever they are kept."""

import pytest
from alembic import command
from sqlalchemy import func, select

from signaling.adapters.sql import Database, SqlConversations, SqlLog, sends
from signaling.adapters.sql.migrate import config
from signaling.adapters.sql.personal import SqlPersonal
from signaling.adapters.sql.tables import recent_sends
from signaling.errors import Refused
from tests.making import APP, group, message

NAMES = [f"id-{n:02}" for n in range(10)]


@pytest.fixture
async def place(database: Database, monkeypatch: pytest.MonkeyPatch) -> str:
    """A conversation with a message for each name, some settled and some recent."""
    monkeypatch.setattr(sends, "SETTLE", 4)
    made = await group(SqlConversations(database), "ann")
    for name in NAMES:
        await SqlLog(database).append(message(made, "ann", name))
    return made


async def test_each_is_a_duplicate_for_ever(database: Database, place: str) -> None:
    log = SqlLog(database)
    for seq, name in enumerate(NAMES, start=1):
        again = await log.append(message(place, "ann", name))
        assert (again.event.seq, again.duplicate) == (seq, True)
        with pytest.raises(Refused) as refused:
            await log.append(message(place, "ann", name, text="another"))
        assert refused.value.code == "conflict"
        assert await log.used(APP, "ann", name)
    assert not await log.used(APP, "ann", "new")


async def test_few_are_recent(database: Database, place: str) -> None:
    query = select(func.count()).select_from(recent_sends)
    recent = await database.read(lambda c: c.execute(query).scalar_one())
    assert recent < sends.SETTLE
    assert recent or database.dialect != "sqlite"


async def test_what_a_user_sent_is_given_once_and_in_order(database: Database, place: str) -> None:
    personal = SqlPersonal(database)
    found: list[int] = []
    after: str | None = ""
    while after is not None:
        page = await personal.sent(APP, "ann", after, 3)
        found += [event.seq for event in page.events]
        after = page.next
    assert found == list(range(1, len(NAMES) + 1))


async def test_an_older_version_knows_them_too(database: Database, place: str) -> None:
    await database.write(lambda c: command.downgrade(config(c), "0075"))
    await database.write(lambda c: command.upgrade(config(c), "head"))
    again = [await SqlLog(database).append(message(place, "ann", name)) for name in NAMES]
    assert all(one.duplicate for one in again)

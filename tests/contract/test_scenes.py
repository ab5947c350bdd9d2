"""What appending remembers from one group to the next is never older than the database."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection

from signaling.adapters.sql import Database, SqlConversations, SqlLog, open_database
from signaling.adapters.sql.append import Append, append_many
from signaling.errors import Refused
from signaling.model import Change, Conversation, Member, Scene
from signaling.ports import Conversations
from signaling.services import rules
from tests.making import APP, group, identity, message

ALLOW = rules.may_write(identity("ann"), 1_000)


@pytest.fixture
async def other(database_url: str, database: Database) -> AsyncIterator[Database]:
    """Another process with the same database."""
    opened = await open_database(database_url)
    yield opened
    await opened.close()


async def _remove(conversations: Conversations, name: str, user: str) -> None:
    def decide(scene: Scene) -> Change:
        gone = {**_fields(scene.members[user]), "left_at": 2_000}
        return Change(members=(Member(**gone),))

    await conversations.decide(APP, name, users=[user], decide=decide)


def _fields(member: Member) -> dict[str, object]:
    return {name: getattr(member, name) for name in Member.__struct_fields__}


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_who_is_removed_between_two_messages_sends_no_second(
    database: Database, other: Database, elsewhere: bool
) -> None:
    name = await group(SqlConversations(database), "ann")
    log = SqlLog(database)
    await log.append(message(name, "ann", "one"), ALLOW)
    await _remove(SqlConversations(other if elsewhere else database), name, "ann")
    with pytest.raises(Refused) as refused:
        await log.append(message(name, "ann", "two"), ALLOW)
    assert refused.value.code == "not_found"


async def test_a_receipt_between_two_messages_is_seen_by_the_second(database: Database) -> None:
    conversations, log = SqlConversations(database), SqlLog(database)
    name = await group(conversations, "ann", "bob")
    seen: list[tuple[int, int]] = []

    def looks(_: Conversation, member: Member | None) -> None:
        assert member is not None
        seen.append((member.delivered, member.read))

    await log.append(message(name, "bob", "one"), looks)
    await log.append(message(name, "ann", "two"), looks)
    await conversations.advance(APP, name, "bob", delivered=2, read=0)
    await log.append(message(name, "bob", "three"), looks)
    assert seen == [(0, 0), (0, 0), (2, 1)]


async def test_two_processes_number_one_conversation_and_know_each_others_names(
    database: Database, other: Database
) -> None:
    name = await group(SqlConversations(database), "ann")
    logs = SqlLog(database), SqlLog(other)
    made = [await logs[n % 2].append(message(name, "ann", f"id-{n}")) for n in range(6)]
    assert [one.event.seq for one in made] == [1, 2, 3, 4, 5, 6]
    again = [await log.append(message(name, "ann", f"id-{n}")) for log in logs for n in range(6)]
    assert [one.event.seq for one in again] == 2 * [1, 2, 3, 4, 5, 6]
    assert all(one.duplicate for one in again)


async def test_a_write_that_is_undone_leaves_nothing_to_remember(database: Database) -> None:
    name = await group(SqlConversations(database), "ann")
    log = SqlLog(database)
    await log.append(message(name, "ann", "one"))

    def fails(connection: Connection) -> None:
        append_many(connection, [Append(message(name, "ann", "two"), None)])
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(fails)
    later = [await log.append(message(name, "ann", f"{word}")) for word in ("three", "two")]
    assert [(one.event.seq, one.duplicate) for one in later] == [(2, False), (3, False)]


async def test_slow_mode_counts_from_the_message_before(database: Database) -> None:
    name = await group(SqlConversations(database), "ann", settings={"slow_mode_ms": 500})
    log = SqlLog(database)
    await log.append(message(name, "ann", "one"), ALLOW)
    with pytest.raises(Refused) as refused:
        await log.append(message(name, "ann", "two"), rules.may_write(identity("ann"), 1_200))
    assert refused.value.retry_after_ms == 300
    await log.append(message(name, "ann", "two"), rules.may_write(identity("ann"), 1_500))

"""Calls under way, and those that are over, in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from signaling.adapters.sql.database import Database
from signaling.adapters.sql.rows import EVENT, event_of, json_dict, json_text
from signaling.adapters.sql.tables import events, members
from signaling.adapters.sql.tables_calls import ENDED, live_calls, live_talkers
from signaling.model import Event
from signaling.ports import LiveCall

_GOING = live_calls.c.ended.is_(False)


class SqlCalls:
    """See ports.LiveCalls."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, call: LiveCall) -> LiveCall:
        """One transaction: nobody else begins in between."""
        return await self._database.write(lambda c: _begin(c, call))

    async def put(self, call: LiveCall) -> bool:
        """By id."""
        return await self._database.write(lambda c: _put(c, call))

    async def remove(self, call: str) -> None:
        """With who was in it."""
        await self._database.write(lambda c: _remove(c, call))

    async def going(self, conversation: str) -> LiveCall | None:
        """By the unique index."""
        query = select(live_calls).where(live_calls.c.conversation == conversation, _GOING)
        found = await self._database.read(lambda c: c.execute(query).first())
        return None if found is None else _call_of(found)

    async def unattended(self, node: str, seen_before: int) -> list[LiveCall]:
        """Oldest first."""
        query = select(live_calls).where(
            or_(live_calls.c.node == node, live_calls.c.seen_at < seen_before)
        )
        query = query.order_by(live_calls.c.seen_at, live_calls.c.id)
        found = await self._database.read(lambda c: c.execute(query).all())
        return [_call_of(row) for row in found]

    async def touch(self, node: str, now: int) -> None:
        """All in one statement."""
        statement = update(live_calls).where(live_calls.c.node == node).values(seen_at=now)
        await self._database.write(lambda c: c.execute(statement).rowcount)

    async def talking(self, app: str, users: Sequence[str]) -> set[str]:
        """By primary key."""
        query = select(live_talkers.c.user).where(
            live_talkers.c.app == app, live_talkers.c.user.in_(list(users))
        )
        return await self._database.read(lambda c: set(c.execute(query).scalars()))

    async def ended(
        self, app: str, user: str, before: int, limit: int
    ) -> tuple[list[Event], int | None]:
        """From each of the member's conversations by its index."""
        query = (
            select(*EVENT)
            .select_from(members.join(events, events.c.conversation == members.c.conversation))
            .where(
                members.c.app == app,
                members.c.user == user,
                members.c.left_at.is_(None),
                ENDED,
                events.c.position < before,
                events.c.seq >= members.c.from_seq,
            )
            .order_by(events.c.position.desc())
            .limit(limit + 1)
        )
        rows = await self._database.read(lambda c: c.execute(query).all())
        found = [event_of(row) for row in rows[:limit]]
        return found, found[-1].position if len(rows) > limit else None


def _begin(connection: Connection, call: LiveCall) -> LiveCall:
    same = (live_calls.c.conversation == call.conversation) & _GOING
    query = select(live_calls).where(or_(live_calls.c.id == call.id, same))
    there = connection.execute(query).first()
    if there is not None:
        return _call_of(there)
    connection.execute(insert(live_calls).values(_values(call)))
    _talk(connection, call)
    return call


def _put(connection: Connection, call: LiveCall) -> bool:
    statement = update(live_calls).where(live_calls.c.id == call.id).values(_values(call))
    if not connection.execute(statement).rowcount:
        return False
    connection.execute(delete(live_talkers).where(live_talkers.c.call == call.id))
    _talk(connection, call)
    return True


def _talk(connection: Connection, call: LiveCall) -> None:
    if call.talking and not call.ended:
        rows = [{"app": call.app, "user": user, "call": call.id} for user in call.talking]
        connection.execute(insert(live_talkers), rows)


def _remove(connection: Connection, call: str) -> None:
    connection.execute(delete(live_talkers).where(live_talkers.c.call == call))
    connection.execute(delete(live_calls).where(live_calls.c.id == call))


def _values(call: LiveCall) -> dict[str, Any]:
    names = ("id", "app", "conversation", "node", "seen_at", "ended")
    data = {**call.data, "talking": list(call.talking)}
    return {**{name: getattr(call, name) for name in names}, "data": json_text(data)}


def _call_of(row: Row[Any]) -> LiveCall:
    data = json_dict(row.data)
    return LiveCall(
        id=row.id,
        app=row.app,
        conversation=row.conversation,
        node=row.node,
        seen_at=row.seen_at,
        ended=bool(row.ended),
        talking=tuple(data.pop("talking")),
        data=data,
    )

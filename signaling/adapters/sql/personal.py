"""What is a User's, in SQL: to be read as a whole, and to be blanked."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, select, update

from signaling.adapters.sql.blank import blank
from signaling.adapters.sql.database import Database
from signaling.adapters.sql.file_rows import file_of
from signaling.adapters.sql.forgetting import forget_untold
from signaling.adapters.sql.pending import MESSAGE
from signaling.adapters.sql.rows import (
    CONVERSATION,
    EVENT,
    MEMBER,
    conversation_of,
    event_of,
    json_text,
    member_of,
)
from signaling.adapters.sql.sends import used_by
from signaling.adapters.sql.tables import (
    blocks,
    conversations,
    devices,
    events,
    members,
    mentions,
    users,
)
from signaling.adapters.sql.tables_files import files
from signaling.adapters.sql.tables_messaging import scheduled
from signaling.adapters.sql.tables_moderation import privacies, reports
from signaling.adapters.sql.tables_presence import presences
from signaling.model import Event
from signaling.privacy.personal import Marks, Membership, Page
from signaling.services.file_record import File

_REPORTED = ("id", "conversation", "seq", "reason", "at", "state")
"""What a report says of who made it: the message in it is somebody else's."""
_NAMES = ("sender_name", "mentions")
"""Beside the body, what of a message tells who somebody is."""
_MARKS = ("message:edited", "reaction:changed")
STRETCH = 5_000
"""Events of a log looked at in one transaction."""
_HEIRS = ("admin", "member")
"""In the order of the alphabet, as it happens."""


class SqlPersonal:
    """See signaling.privacy.personal.PersonalData."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def profile(self, app: str, user: str) -> dict[str, Any]:
        """All small tables that have a column for the user."""
        return await self._database.read(lambda c: _profile(c, app, user))

    async def memberships(self, app: str, user: str, after: str, limit: int) -> list[Membership]:
        """Left ones too."""
        query = (
            select(*CONVERSATION, *MEMBER)
            .join(members, members.c.conversation == conversations.c.id)
            .where(members.c.app == app, members.c.user == user, conversations.c.id > after)
            .order_by(conversations.c.id)
            .limit(limit)
        )
        rows = await self._database.read(lambda c: c.execute(query).all())
        return [_membership(tuple(row)) for row in rows]

    async def sent(self, app: str, user: str, after: str, limit: int) -> Page:
        """By client_id: that is what there is an index for."""
        return await self._database.read(lambda c: _sent(c, app, user, after, limit))

    async def marks(self, conversation: str, user: str, after: int) -> Marks:
        """A stretch of the log: there is no index by who did what."""
        return await self._database.read(lambda c: _marks(c, conversation, user, after))

    async def blank(self, app: str, user: str, after: str, limit: int, now: int) -> Page:
        """As if each had been recalled."""
        return await self._database.write(lambda c: _blank(c, app, user, after, limit, now))

    async def unschedule(self, app: str, user: str) -> None:
        """In one statement."""
        waiting = delete(scheduled).where(scheduled.c.app == app, scheduled.c.sender == user)
        await self._database.write(lambda c: c.execute(waiting).rowcount)

    async def heir(self, conversation: str, user: str) -> str | None:
        """By role, then by when they joined."""
        here = (members.c.conversation == conversation) & members.c.left_at.is_(None)
        query = (
            select(members.c.user)
            .where(here, members.c.user != user, members.c.role.in_(_HEIRS))
            .order_by(members.c.role, members.c.joined_at, members.c.user)
            .limit(1)
        )
        return await self._database.read(lambda c: c.execute(query).scalar())

    async def files(self, app: str, user: str, after: str, limit: int) -> list[File]:
        """Ordered by id."""
        query = select(files).where(files.c.app == app, files.c.sender == user)
        query = query.where(files.c.id > after).order_by(files.c.id).limit(limit)
        rows = await self._database.read(lambda c: c.execute(query).all())
        return [file_of(row._mapping) for row in rows]

    async def forget(self, app: str, user: str) -> None:
        """In one transaction."""
        await self._database.write(lambda c: _forget(c, app, user))


def _profile(connection: Connection, app: str, user: str) -> dict[str, Any]:
    def rows(table: Table, column: str) -> list[dict[str, Any]]:
        query = select(table).where(table.c.app == app, table.c[column] == user)
        return [dict(row._mapping) for row in connection.execute(query)]

    people = rows(users, "id")
    chosen = rows(privacies, "user")
    reported = rows(reports, "reporter")
    return {
        "user": people[0] if people else None,
        "devices": rows(devices, "user"),
        "blocks": [row["other"] for row in rows(blocks, "user")],
        "scheduled": rows(scheduled, "sender"),
        "presence": rows(presences, "user"),
        "privacy": chosen[0] if chosen else None,
        "reports": [{name: row[name] for name in _REPORTED} for row in reported],
    }


def _membership(row: Sequence[Any]) -> Membership:
    width = len(CONVERSATION)
    return Membership(conversation=conversation_of(row[:width]), member=member_of(row[width:]))


def _sent(connection: Connection, app: str, user: str, after: str, limit: int) -> Page:
    used = used_by(app, user, after, limit)
    place = (events.c.conversation == used.c.conversation) & (events.c.seq == used.c.seq)
    query = (
        select(*EVENT, used.c.client_id)
        .select_from(used.outerjoin(events, place))
        .order_by(used.c.client_id)
        .limit(limit)
    )
    rows = connection.execute(query).all()
    found = [event_of(row[:-1]) for row in rows if row[0] is not None]
    return Page(events=found, next=rows[-1][-1] if len(rows) == limit else None)


def _marks(connection: Connection, conversation: str, user: str, after: int) -> Marks:
    here = events.c.conversation == conversation
    head = select(conversations.c.head).where(conversations.c.id == conversation)
    end = after + STRETCH
    query = select(*EVENT).where(here, events.c.seq > after, events.c.seq <= end)
    query = query.where(events.c.sender == user, events.c.type.in_(_MARKS))
    found = [event_of(row) for row in connection.execute(query.order_by(events.c.seq))]
    more = end < int(connection.execute(head).scalar() or 0)
    return Marks(events=found, next=end if more else None)


def _blank(connection: Connection, app: str, user: str, after: str, limit: int, now: int) -> Page:
    page = _sent(connection, app, user, after, limit)
    spoken = [event for event in page.events if _says(event)]
    for event in spoken:
        blank(connection, event, _NAMES, recalled=True, recalled_at=now, erased=True)
        here = (mentions.c.conversation == event.conversation) & (mentions.c.seq == event.seq)
        connection.execute(delete(mentions).where(here))
    return Page(events=spoken, next=page.next)


def _says(event: Event) -> bool:
    return event.type == MESSAGE and not event.data.get("erased")


def _forget(connection: Connection, app: str, user: str) -> None:
    theirs = (members.c.app == app) & (members.c.user == user)
    connection.execute(update(members).where(theirs).values(preferences=json_text({})))
    for table, column in (
        (scheduled, "sender"),
        (blocks, "user"),
        (devices, "user"),
        (presences, "user"),
        (users, "id"),
    ):
        connection.execute(delete(table).where(table.c.app == app, table.c[column] == user))
    forget_untold(connection, app, user)

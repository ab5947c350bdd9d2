"""Conversations, members and watermarks in SQL."""

from collections.abc import Iterable, Sequence
from functools import partial

from sqlalchemy import Connection, FromClause, exists, func, select

from signaling.adapters.sql import decide as deciding
from signaling.adapters.sql.database import Database
from signaling.adapters.sql.gather import READ_LANES, Gather
from signaling.adapters.sql.many import TEXT, Each, Statement
from signaling.adapters.sql.rows import MEMBER, member_of
from signaling.adapters.sql.standings import standings, standings_of, totals_many
from signaling.adapters.sql.tables import conversations, members, users
from signaling.adapters.sql.watermarks import Advance, advance_many
from signaling.model import Conversation, Decided, Draft, Event, Member, Moved, Reach, Standing
from signaling.ports import Decide


class SqlConversations:
    """See ports.Conversations."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._advances: Gather[Advance, Moved | None] = Gather(database.write, advance_many)
        self._reaches: Gather[tuple[str, str], list[Reach]] = Gather(
            database.read, _reaches_many, lanes=READ_LANES
        )
        self._totals: Gather[tuple[str, str], tuple[int, int]] = Gather(
            database.read, totals_many, lanes=READ_LANES
        )

    async def create(
        self,
        conversation: Conversation,
        members: Sequence[Member],
        drafts: Sequence[Draft],
        gathering: str | None = None,
    ) -> tuple[Conversation, list[Event]]:
        """Insert with its first members and events, or find it."""
        return await self._database.write(
            lambda c: deciding.create(c, conversation, members, drafts, gathering)
        )

    async def get(self, app: str, conversation: str) -> Conversation | None:
        """By id or alias."""
        return await self._database.read(
            lambda connection: deciding.find_conversation(connection, app, conversation)
        )

    async def decide(
        self,
        app: str,
        conversation: str,
        users: Iterable[str],
        decide: Decide,
        target: int | None = None,
    ) -> Decided:
        """Scene, decision and change in one transaction."""
        return await self._database.write(
            partial(
                deciding.decide_in,
                app=app,
                conversation=conversation,
                users=tuple(users),
                decide=decide,
                target=target,
            )
        )

    async def member(self, conversation: str, user: str) -> Member | None:
        """One member with their name."""
        found = await self._database.read(
            lambda connection: _members(connection, conversation, only=user)
        )
        return found[0] if found else None

    async def members(self, conversation: str, after: str = "", limit: int = 100) -> list[Member]:
        """A page of members with their names."""
        return await self._database.read(
            lambda connection: _members(connection, conversation, after=after, limit=limit)
        )

    async def banned(
        self, conversation: str, now: int, after: str = "", limit: int = 100
    ) -> list[Member]:
        """A page of those kept out."""
        query = (
            select(*MEMBER)
            .where(
                members.c.conversation == conversation,
                members.c.banned_until > now,
                members.c.user > after,
            )
            .order_by(members.c.user)
            .limit(limit)
        )
        rows = await self._database.read(lambda c: c.execute(query).all())
        return [member_of(row) for row in rows]

    async def kept_out(self, conversation: str, user: str, now: int) -> bool:
        """Whether their ban has not ended."""
        query = select(members.c.user).where(
            members.c.conversation == conversation,
            members.c.user == user,
            members.c.banned_until > now,
        )
        return await self._database.read(lambda c: c.scalar(query)) is not None

    async def members_of(
        self, conversations: Sequence[str], each: int = 100
    ) -> dict[str, list[Member]]:
        """The first members of several conversations."""
        wanted = tuple(conversations)
        if not wanted:
            return {}
        return await self._database.read(lambda connection: _members_of(connection, wanted, each))

    async def standing(self, app: str, conversation: str, user: str) -> Standing | None:
        """One conversation as one member sees it."""
        return await self._database.read(
            lambda connection: _standing(connection, app, conversation, user)
        )

    async def standings(
        self, app: str, user: str, before: int | None = None, limit: int = 100
    ) -> list[Standing]:
        """The latest active first."""
        query = standings_of(app, user).where(members.c.left_at.is_(None))
        if before is not None:
            query = query.where(conversations.c.position < before)
        query = query.order_by(conversations.c.position.desc()).limit(limit)
        return await self._database.read(lambda connection: standings(connection, query))

    async def totals(self, app: str, user: str) -> tuple[int, int]:
        """Gathered with other callers' into one query."""
        return await self._totals.submit((app, user))

    async def reaches(self, app: str, user: str) -> list[Reach]:
        """Likewise."""
        return await self._reaches.submit((app, user))

    async def share(self, app: str, user: str, other: str) -> bool:
        """Whether both are members of some conversation."""
        mine, theirs = members.alias("mine"), members.alias("theirs")
        query = select(
            exists()
            .where(mine.c.app == app, mine.c.user == user, mine.c.left_at.is_(None))
            .where(theirs.c.conversation == mine.c.conversation)
            .where(theirs.c.user == other, theirs.c.left_at.is_(None))
        )
        return await self._database.read(
            lambda connection: bool(connection.execute(query).scalar_one())
        )

    async def sharing(self, app: str, user: str, others: Sequence[str]) -> set[str]:
        """In one query."""
        mine, theirs = members.alias("mine"), members.alias("theirs")
        query = (
            select(theirs.c.user)
            .distinct()
            .join(mine, mine.c.conversation == theirs.c.conversation)
            .where(mine.c.app == app, mine.c.user == user, mine.c.left_at.is_(None))
            .where(theirs.c.user.in_(list(others)), theirs.c.left_at.is_(None))
        )
        return await self._database.read(lambda c: set(c.execute(query).scalars()))

    async def receipts(self, conversation: str, seq: int) -> tuple[int, int]:
        """Counted over the members who have not left."""
        query = select(
            func.count().filter(members.c.delivered >= seq),
            func.count().filter(members.c.read >= seq),
        ).where(members.c.conversation == conversation, members.c.left_at.is_(None))
        found = await self._database.read(lambda connection: connection.execute(query).one())
        return int(found[0]), int(found[1])

    async def advance(
        self, app: str, conversation: str, user: str, *, delivered: int = 0, read: int = 0
    ) -> Moved | None:
        """Gathered with the receipts of other callers into one commit."""
        return await self._advances.submit(Advance(app, conversation, user, delivered, read))


def _reaches(given: FromClause) -> Statement:
    here = (members.c.app == given.c.app) & (members.c.user == given.c.user)
    mine = given.join(members, here & members.c.left_at.is_(None)).join(
        conversations, conversations.c.id == members.c.conversation
    )
    columns = (members.c.conversation, members.c.from_seq, conversations.c.head)
    return select(given.c.n, *columns).select_from(mine)


_REACHES = Each({"app": TEXT, "user": TEXT}, _reaches)


def _reaches_many(connection: Connection, items: Sequence[tuple[str, str]]) -> list[list[Reach]]:
    return [
        [Reach(conversation=name, from_seq=from_seq, head=head) for name, from_seq, head in rows]
        for rows in _REACHES.find(connection, items)
    ]


def _members(
    connection: Connection,
    conversation: str,
    *,
    only: str | None = None,
    after: str = "",
    limit: int = 1,
) -> list[Member]:
    named = members.outerjoin(
        users, (users.c.app == members.c.app) & (users.c.id == members.c.user)
    )
    query = (
        select(*MEMBER, users.c.name)
        .select_from(named)
        .where(members.c.conversation == conversation, members.c.left_at.is_(None))
    )
    if only is not None:
        query = query.where(members.c.user == only)
    else:
        query = query.where(members.c.user > after).order_by(members.c.user)
    return [member_of(row[:-1], row[-1]) for row in connection.execute(query.limit(limit))]


def _members_of(
    connection: Connection, wanted: Sequence[str], each: int
) -> dict[str, list[Member]]:
    place = func.row_number().over(partition_by=members.c.conversation, order_by=members.c.user)
    ranked = (
        select(*MEMBER, members.c.app, place.label("place"))
        .where(members.c.conversation.in_(wanted), members.c.left_at.is_(None))
        .subquery()
    )
    named = ranked.outerjoin(users, (users.c.app == ranked.c.app) & (users.c.id == ranked.c.user))
    columns = [ranked.c[column.name] for column in MEMBER]
    query = (
        select(*columns, users.c.name)
        .select_from(named)
        .where(ranked.c.place <= each)
        .order_by(ranked.c.conversation, ranked.c.user)
    )
    found: dict[str, list[Member]] = {name: [] for name in wanted}
    for row in connection.execute(query):
        found[row[0]].append(member_of(row[:-1], row[-1]))
    return found


def _standing(connection: Connection, app: str, conversation: str, user: str) -> Standing | None:
    found = deciding.find_conversation(connection, app, conversation)
    if found is None:
        return None
    query = standings_of(app, user).where(
        members.c.conversation == found.id, members.c.left_at.is_(None)
    )
    here = standings(connection, query)
    return here[0] if here else None

"""Who writes where: the conversations of a group of drafts, and their senders' memberships.

In SQLite they are kept for the next group, which mostly has the same: for as long as nobody writes
but appends and receipts. PostgreSQL's writers are many, and are asked each time.
"""

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from msgspec.structs import replace
from sqlalchemy import Connection, FromClause, select

from signaling.adapters.sql.driver import changes, run
from signaling.adapters.sql.many import TEXT, Many, Statement
from signaling.adapters.sql.pending import MESSAGE, Head
from signaling.adapters.sql.rows import CONVERSATION, MEMBER, conversation_of, member_of
from signaling.adapters.sql.tables import conversations, members
from signaling.model import Draft, Member

KEPT_MAX: Final = 10_000
"""Memberships, some 10 MB."""
_KEPT: Final = "scenes"

Stamp: TypeAlias = tuple[int, int]
"""What others, and what this connection have changed."""


class Scenes:
    """What a group of drafts finds."""

    def __init__(self, others: int) -> None:
        self.heads: dict[str, Head] = {}
        self.members: dict[tuple[str, str], Member | None] = {}
        """By conversation and user, of conversations that exist: None for who is no member."""
        self.stamp: Stamp = (others, 0)

    def read(self, connection: Connection, pairs: Iterable[tuple[str, str]]) -> None:
        """Those not known yet."""
        asked = [pair for pair in pairs if pair not in self.members]
        width = len(CONVERSATION)
        for row in _SCENES.give(connection, asked) if asked else ():
            if row[0] not in self.heads:
                self.heads[row[0]] = Head(conversation_of(row[:width]))
            user, found = row[width], row[width + 1 :]
            self.members[(row[0], user)] = None if found[0] is None else member_of(found)

    def wrote(self, draft: Draft, seq: int) -> None:
        """A message moves its sender's watermarks."""
        key = (draft.conversation, draft.sender)
        member = self.members.get(key)
        if member is not None and draft.type == MESSAGE:
            moved = replace(member, delivered=seq, read=seq, sent_at=draft.at)
            self.members[key] = moved

    def moved(self, member: Member) -> None:
        """Their watermarks were written."""
        key = (member.conversation, member.user)
        if key in self.members:
            self.members[key] = member

    def keep(self, connection: Connection) -> None:
        """For the next group: all has been written."""
        if connection.dialect.name == "sqlite" and len(self.members) <= KEPT_MAX:
            self.stamp = (self.stamp[0], changes(connection))
            connection.info[_KEPT] = self


def take_scenes(connection: Connection) -> Scenes:
    """What is kept, taken out: a job that fails half way leaves nothing that is not so."""
    kept: Scenes | None = connection.info.pop(_KEPT, None)
    stamp = _stamp(connection)
    return kept if kept is not None and kept.stamp == stamp else Scenes(stamp[0])


def scenes_of(connection: Connection, drafts: Sequence[Draft]) -> Scenes:
    """Those of the drafts, and what is kept besides."""
    scenes = take_scenes(connection)
    scenes.read(connection, dict.fromkeys((draft.conversation, draft.sender) for draft in drafts))
    return scenes


def _stamp(connection: Connection) -> Stamp:
    if connection.dialect.name != "sqlite":
        return 0, 0
    [[others]] = run(connection, "PRAGMA data_version")
    return others, changes(connection)


def _find_scenes(pair: FromClause) -> Statement:
    present = (
        (members.c.conversation == pair.c.conversation)
        & (members.c.user == pair.c.user)
        & members.c.left_at.is_(None)
    )
    joined = pair.join(conversations, conversations.c.id == pair.c.conversation)
    query = select(*CONVERSATION, pair.c.user, *MEMBER)
    return query.select_from(joined.outerjoin(members, present))


_SCENES = Many({"conversation": TEXT, "user": TEXT}, _find_scenes)

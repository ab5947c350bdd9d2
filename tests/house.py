"""Messaging over a SQLite file, with a clock in hand and an ear on the broker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from signaling.adapters.sql import (
    Database,
    SqlConversations,
    SqlInvites,
    SqlLog,
    SqlSearch,
    SqlUsers,
    SqlWaiting,
    open_database,
)
from signaling.dispatch import dispatch
from signaling.errors import Refused
from signaling.messaging import Beside, Messaging
from signaling.ports import Broker, Hint
from signaling.services.limits import Limits
from tests.fitting import check_answer
from tests.fresh import fresh
from tests.making import identity


class Ear:
    """A Broker that only remembers what was published."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Hint]] = []

    async def publish(self, topic: str, hint: Hint) -> None:
        """Keep it."""
        self.heard.append((topic, hint))

    def events(self, topic: str) -> list[str]:
        """Names of what was published to one topic."""
        return [hint.event for where, hint in self.heard if where == topic]


class House:
    """`ask(user, event, **payload)` is what a connection does; `refused` gives the code."""

    def __init__(self, database: Database, limits: Limits, broker: Broker | None = None) -> None:
        self.database = database
        self.now = 1_700_000_000_000
        self.ear = Ear()
        self.log = SqlLog(database)
        self.conversations = SqlConversations(database)
        self.users = SqlUsers(database)
        beside = Beside(SqlSearch(database), SqlInvites(database), SqlWaiting(database))
        self.messaging = Messaging(
            self.log,
            self.conversations,
            self.users,
            beside,
            broker or self.ear,  # type: ignore[arg-type]
            limits,
            lambda: self.now,
        )
        self.table = self.messaging.table()
        self._sends = 0

    async def ask(
        self, user: str, event: str, /, *, app: str = "acme", admin: bool = False, **payload: Any
    ) -> dict[str, Any]:
        """The ack's fields."""
        who = identity(user, app=app, admin=admin)
        wire = msgspec.json.decode(msgspec.json.encode(payload))
        answer = await dispatch(self.table, who, event, wire)
        check_answer(event, answer)
        return answer

    async def refused(self, user: str, event: str, /, **payload: Any) -> str:
        """The code of the refusal."""
        try:
            answer = await self.ask(user, event, **payload)
        except Refused as refused:
            return refused.code
        raise AssertionError(f"{event} was carried out: {answer}")

    async def send(self, user: str, conversation: str, text: str = "hello", **more: Any) -> int:
        """Send a text; its seq."""
        self._sends += 1
        answer = await self.ask(
            user,
            "message:send",
            **{
                "conversation": conversation,
                "client_id": f"send-{self._sends}",
                "type": "text",
                "body": {"text": text},
                **more,
            },
        )
        return int(answer["seq"])

    async def group(self, owner: str, *members: str, **fields: Any) -> str:
        """Create a group; its id."""
        self._sends += 1
        made = await self.ask(
            owner,
            "conversation:create",
            **{"type": "group", "members": members, "client_id": f"g-{self._sends}", **fields},
        )
        return str(made["conversation"]["id"])

    async def direct(self, one: str, other: str) -> str:
        """The direct conversation of a pair."""
        return await self.group(one, other, type="direct")

    async def events(self, user: str, conversation: str) -> list[dict[str, Any]]:
        """History as one member sees it."""
        page = await self.ask(user, "history:get", conversation=conversation, after=0, limit=200)
        return list(page["events"])


@asynccontextmanager
async def opened(
    path: Path, limits: Limits | None = None, broker: Broker | None = None
) -> AsyncIterator[House]:
    """A house while it lasts; with a broker the ear hears nothing."""
    database = await open_database(f"sqlite:///{fresh(path)}")
    try:
        yield House(database, limits or Limits(), broker)
    finally:
        await database.close()

"""Files on real parts: SQLite, a spool and blobs in a temporary directory, the memory broker."""

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from signaling import ids
from signaling.adapters.blobs import ObjectBlobs, open_blobs
from signaling.adapters.memory_broker import MemoryBroker
from signaling.adapters.sql import SqlConversations, SqlFiles, SqlLog, open_database
from signaling.errors import Refused
from signaling.filing import Filing, Outside
from signaling.model import Conversation, Draft, Grants, Identity, Member
from signaling.ports import Hint
from signaling.protocol.files import FileOffer, FileOffered
from signaling.services.file_finish import Pictures
from signaling.services.file_record import File
from signaling.services.files import FileLimits
from signaling.services.links import Links
from tests.fresh import fresh

NOON = 1_800_000_000_000


def person(user: str, app: str = "app", **grants: Any) -> Identity:
    return Identity(
        app=app,
        user=user,
        device="d1",
        connection=f"conn-{user}",
        name=user,
        grants=Grants(**grants),
        expires_at=2**53,
    )


@dataclass
class Posts:
    """Posts like the messages service: members only, once per client_id."""

    log: SqlLog
    conversations: SqlConversations
    clock: Callable[[], int]
    muted: set[str] = field(default_factory=set)

    async def may_write(self, who: Identity, conversation: str) -> None:
        found = await self.conversations.get(who.app, conversation)
        if found is None or await self.conversations.member(conversation, who.user) is None:
            raise Refused("not_found", "no such conversation")

    async def post(self, file: File, conversation: str, body: dict[str, Any]) -> int:
        if file.sender in self.muted:
            raise Refused("forbidden", "muted")
        draft = Draft(
            app=file.app,
            conversation=conversation,
            id=ids.new("e"),
            type="message:created",
            sender=file.sender,
            at=self.clock(),
            data={"client_id": file.client_id, "kind": "file", "body": body},
            client_id=file.client_id,
        )
        return (await self.log.append(draft)).event.seq


@dataclass
class Rooms:
    """Who is in which room."""

    present_in: set[tuple[str, str]] = field(default_factory=set)
    sent: list[tuple[str, str, int]] = field(default_factory=list)
    seats: dict[tuple[str, str], Identity] = field(default_factory=dict)

    async def present(self, who: Identity, room: str) -> bool:
        return (who.user, room) in self.present_in

    async def send_file(self, who: Identity, file: str, offset: int) -> bool:
        self.sent.append((who.user, file, offset))
        return any(user == who.user for user, _ in self.present_in)

    def who(self, room: str, participant: str) -> Identity | None:
        return self.seats.get((room, participant))


class House:
    """One process's files, with what happened around them."""

    def __init__(self) -> None:
        self.now = NOON
        self.hints: list[tuple[str, Hint]] = []
        self.conversation = ids.new("c")
        self.filing: Filing
        self.records: SqlFiles
        self.blobs: ObjectBlobs
        self.log: SqlLog
        self.posts: Posts
        self.rooms = Rooms()
        self.outside: Outside
        self.directory: Path

    def clock(self) -> int:
        return self.now

    def make(
        self,
        limits: FileLimits | None = None,
        pictures: Pictures | None = None,
        outside: Outside | None = None,
        node: str = "",
    ) -> Filing:
        """Files as a process has them after a start; make them again for a restart. Another `node`
        has another data directory."""
        outside = outside or self.outside
        if pictures is not None:
            outside = Outside(**{**_fields(outside), "pictures": pictures})
        self.filing = Filing(
            outside,
            self.directory / node / "spool",
            self.blobs,
            Links(b"k" * 32),
            limits or FileLimits(),
        )
        return self.filing

    async def offer(
        self, who: Identity, content: bytes, client_id: str = "one", **changes: Any
    ) -> FileOffered:
        fields: dict[str, Any] = {
            "conversation": self.conversation,
            "client_id": client_id,
            "name": "a.bin",
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            **changes,
        }
        return await self.filing.files.offer(who, FileOffer(**fields))

    async def send(
        self, who: Identity, content: bytes, client_id: str = "one", **changes: Any
    ) -> str:
        """Offer and upload; the file's id."""
        offered = await self.offer(who, content, client_id, **changes)
        if offered.offset < len(content):
            upload = await self.filing.files.begin(who, offered.file)
            try:
                await upload.write(offered.offset, content[offered.offset :])
                await upload.finish()
            finally:
                upload.close()
        return offered.file

    async def read(self, who: Identity, file: str, start: int = 0) -> bytes:
        found = await self.filing.files.readable(who, file)
        download = await self.filing.files.open(found, start, found.size)
        try:
            parts = []
            while data := await download.read(10_000):
                parts.append(data)
            return b"".join(parts)
        finally:
            await download.close()

    async def events(self) -> list[Any]:
        return await self.log.read(self.conversation, limit=100)

    def published(self, event: str) -> list[dict[str, Any]]:
        return [hint.data for _, hint in self.hints if hint.event == event]


def _fields(outside: Outside) -> dict[str, Any]:
    return {name: getattr(outside, name) for name in Outside.__slots__}


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No picture is given up because the machine stood still."""
    monkeypatch.setattr("signaling.adapters.pictures.TIMEOUT_S", 100.0)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """ann and bob are members of `house.conversation`; eve of the same app is not."""
    made = House()
    made.directory = tmp_path
    database = await open_database(f"sqlite:///{fresh(tmp_path / 'log.db')}")
    conversations, made.log = SqlConversations(database), SqlLog(database)
    made.records, made.blobs = SqlFiles(database), open_blobs("", tmp_path / "blobs")
    broker = MemoryBroker("n1")

    async def nothing(verb: str, body: dict[str, Any]) -> dict[str, Any]:
        return {}

    await broker.start(lambda topic, hint: made.hints.append((topic, hint)), nothing, lambda: None)
    await broker.subscribe([f"c:app:{made.conversation}", "r:app:lobby"])
    conversation = Conversation(
        id=made.conversation,
        app="app",
        type="group",
        alias="alias",
        created_at=NOON,
        created_by="ann",
    )
    members = [
        Member(conversation=made.conversation, user=user, role="member", joined_at=NOON)
        for user in ("ann", "bob")
    ]
    await conversations.create(conversation, members, [])
    made.posts = Posts(made.log, conversations, made.clock)
    made.outside = Outside(
        records=made.records,
        members=conversations,
        posting=made.posts,
        rooms=made.rooms,
        who=made.rooms.who,
        log=made.log,
        broker=broker,
        clock=made.clock,
    )
    made.make()
    yield made
    await broker.close()
    await database.close()

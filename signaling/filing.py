"""Composition of files: spool, blobs, records and the services on them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from signaling.adapters.blobs import ObjectBlobs
from signaling.adapters.spool import Spool
from signaling.dispatch import Handler
from signaling.model import Appended, Draft, Event, Identity
from signaling.ports import Broker, Clock
from signaling.protocol.files import FileCancel, FileFetch, FileOffer
from signaling.services import file_beat
from signaling.services.file_beat import FileBeat
from signaling.services.file_finish import FileFinish, Pictures
from signaling.services.file_news import FileNews
from signaling.services.file_record import FileRecords
from signaling.services.file_relay import FileRelay, Who
from signaling.services.file_rights import FileRights, FileRooms, Members, Posting
from signaling.services.file_sweep import PERIOD_S, FileSweep
from signaling.services.files import FileLimits, Files
from signaling.services.landings import Landings
from signaling.services.links import Links
from signaling.tasks import Tasks


class Log(Protocol):
    """The logs, as far as files need them."""

    async def append(self, draft: Draft) -> Appended:
        """On disk when it returns."""

    async def get(self, conversation: str, seq: int) -> Event | None:
        """One event."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What files need of the rest."""

    records: FileRecords
    members: Members
    posting: Posting
    rooms: FileRooms
    who: Who
    log: Log
    broker: Broker
    clock: Clock
    pictures: Pictures | None = None


class NoRooms:
    """Stands for rooms where this node has no media."""

    def identity(self, room: str, participant: str) -> Identity | None:
        """Nobody."""
        return None

    async def present(self, who: Identity, room: str) -> bool:
        """No."""
        return False

    async def send_file(self, who: Identity, file: str, offset: int) -> bool:
        """No: the client uses HTTP."""
        return False


class Filing:
    """Everything about files of one process."""

    def __init__(
        self, outside: Outside, spool: Path, blobs: ObjectBlobs, links: Links, limits: FileLimits
    ) -> None:
        spooled = Spool(spool)
        landings = Landings(spooled)
        rights = FileRights(
            outside.records, outside.members, outside.log, outside.posting, outside.rooms
        )
        news = FileNews(outside.log, outside.broker, outside.clock)
        finish = FileFinish(
            outside.records,
            blobs,
            landings,
            outside.posting,
            news,
            outside.clock,
            outside.pictures,
        )
        self.files = Files(
            outside.records,
            blobs,
            landings,
            rights,
            outside.rooms,
            finish,
            news,
            links,
            outside.clock,
            limits,
        )
        self.beat = FileBeat(outside.records, landings, outside.clock)
        self.relay = FileRelay(self.files, outside.who)
        self.sweep = FileSweep(
            outside.records,
            blobs,
            spooled,
            landings,
            news,
            finish,
            outside.clock,
        )

    def table(self) -> dict[str, Handler]:
        """The requests about files."""
        return {
            "file:offer": Handler(FileOffer, self.files.offer),
            "file:fetch": Handler(FileFetch, self.files.fetch),
            "file:cancel": Handler(FileCancel, self.files.cancel),
        }

    def start(self, tasks: Tasks) -> None:
        """Sweep now and then, and say what is at work."""
        tasks.every(file_beat.PERIOD_S, self.beat.beat, "files at work")
        tasks.every(PERIOD_S, self.sweep.sweep, "sweep files")

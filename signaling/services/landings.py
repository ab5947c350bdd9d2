"""The spools that are open in this process, by file."""

from typing import Protocol

from signaling.services.file_record import File
from signaling.services.landing import Landing, SpoolFile


class Spool(Protocol):
    """Where unfinished uploads lie."""

    id: str

    def open(self, file: str) -> SpoolFile:
        """Create or reopen. Raises Refused conflict while another process has it open."""

    def landed(self, file: str) -> int:
        """How many bytes are there; 0 when nothing is."""

    def remove(self, file: str) -> None: ...


class Landings:
    """Opens a spool for its first user and closes it after the last."""

    def __init__(self, spool: Spool) -> None:
        # passed in
        self._spool = spool
        # made here
        self._open: dict[str, Landing] = {}

    @property
    def spool(self) -> str:
        """The id of the spool that uploads land in here."""
        return self._spool.id

    def elsewhere(self, file: File) -> bool:
        """Whether its bytes land in another spool than this node's."""
        return file.spool not in (None, self._spool.id) and file.id not in self._open

    def at_work(self) -> list[str]:
        """Files that are being finished, or that bytes came for since the last call."""
        return [file for file, landing in self._open.items() if landing.at_work()]

    def get(self, file: str) -> Landing | None:
        """The landing of a file that somebody uses now."""
        return self._open.get(file)

    def acquire(self, file: File) -> Landing:
        """The file's landing; `release` it. Raises Refused conflict, unavailable."""
        landing = self._open.get(file.id)
        if landing is None:
            landing = self._open[file.id] = Landing(file, self._spool.open(file.id))
        landing.users += 1
        return landing

    def release(self, landing: Landing) -> None:
        """One user less; the last one closes the spool."""
        landing.users -= 1
        if landing.users == 0:
            self._drop(landing)
            landing.spool.close()

    def end(self, landing: Landing, *, whole: bool) -> None:
        """The upload is over: readers that have it open may go on when `whole`, nobody else."""
        landing.whole, landing.broken = whole, not whole
        self._spool.remove(landing.file.id)
        self._drop(landing)
        landing.tell()

    def offset(self, file: str) -> int:
        """How many bytes have landed."""
        landing = self._open.get(file)
        return landing.spool.landed if landing else self._spool.landed(file)

    def forget(self, file: str) -> None:
        """Remove a spool nobody will finish."""
        landing = self._open.get(file)
        if landing is not None:
            self.end(landing, whole=False)
        else:
            self._spool.remove(file)

    def _drop(self, landing: Landing) -> None:
        if self._open.get(landing.file.id) is landing:
            del self._open[landing.file.id]

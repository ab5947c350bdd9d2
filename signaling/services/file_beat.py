"""Tells the other nodes which files are at work here, so that they leave them alone."""

from signaling.ports import Clock
from signaling.services.file_record import FileRecords
from signaling.services.landings import Landings

PERIOD_S = 15.0


class FileBeat:
    """`beat` is run every `PERIOD_S`: an upload that moves never looks abandoned."""

    def __init__(self, records: FileRecords, landings: Landings, clock: Clock) -> None:
        # passed in
        self._records = records
        self._landings = landings
        self._clock = clock

    async def beat(self) -> None:
        """One statement, when there is anything."""
        moving = self._landings.at_work()
        if moving:
            await self._records.touch(moving, self._clock())

"""Privacy put together: exports, erasures and retention of one process."""

from collections.abc import Sequence
from pathlib import Path

from signaling.adapters.blobs import ObjectBlobs
from signaling.adapters.sql import Database, SqlApps, SqlConversations, SqlFiles
from signaling.adapters.sql.jobs import SqlJobs
from signaling.adapters.sql.personal import SqlPersonal
from signaling.adapters.sql.retention import SqlRetention
from signaling.http.callers import Callers
from signaling.http.privacy import PrivacyRoutes
from signaling.ports import Broker, Clock
from signaling.privacy.erase import Also, Erase, SignOut
from signaling.privacy.export import Export
from signaling.privacy.job import Kind
from signaling.privacy.retention import PERIOD_S, Retention
from signaling.privacy.worker import Work, Worker
from signaling.services.links import Links
from signaling.tasks import Tasks

WORK_S = 2.0


class Keeping:
    """What is given out, forgotten, and kept no longer."""

    def __init__(
        self,
        database: Database,
        blobs: ObjectBlobs,
        broker: Broker,
        links: Links,
        directory: Path,
        node: str,
        clock: Clock,
        sign_out: SignOut,
        also: Sequence[Also] = (),
    ) -> None:
        self._blobs, self._links = blobs, links
        self._jobs = SqlJobs(database)
        personal = SqlPersonal(database)
        export = Export(personal, blobs, directory, clock)
        erase = Erase(
            personal,
            SqlConversations(database),
            SqlFiles(database),
            self._jobs,
            blobs,
            broker,
            sign_out,
            clock,
            also,
        )
        works: dict[Kind, Work] = {"export": export, "erase": erase}
        self.worker = Worker(self._jobs, works, blobs, node, clock)
        self.retention = Retention(SqlApps(database), SqlRetention(database), clock)

    def start(self, tasks: Tasks) -> None:
        """Look for work now and then."""
        tasks.every(WORK_S, self.worker.round, "exports and erasures")
        tasks.every(PERIOD_S, self.retention.round, "retention")

    def routes(self, callers: Callers) -> PrivacyRoutes:
        """Their REST."""
        return PrivacyRoutes(callers, self._jobs, self._blobs, self._links)

"""Moderation put together: settings, screen, audit trail, bans and reports of one process."""

from contextlib import AsyncExitStack

from signaling.adapters.sql import Database, SqlApps
from signaling.adapters.sql.audit import SqlAudit
from signaling.audit.trail import Trail
from signaling.auth.registry import Registry, now_ms
from signaling.auth.sealing import MasterKey
from signaling.http.audit import AuditRoutes
from signaling.http.callers import Callers
from signaling.http.poster import HttpPoster
from signaling.http.server import Server
from signaling.http.settings import SettingsRoutes
from signaling.metrics import Metrics
from signaling.moderation.presend import PreSend
from signaling.moderation.screen import AppScreen
from signaling.moderation.settings import SettingsAtHand


class Moderating:
    """Made before messaging, which asks its screen."""

    def __init__(self, database: Database, master: MasterKey, *, allow_private: bool) -> None:
        self.trail = Trail(SqlAudit(database), now_ms)
        self.settings = SettingsAtHand(SqlApps(database), now_ms)
        self._poster = HttpPoster(allow_private=allow_private)
        self._presend = PreSend(self._poster, master.derive, now_ms)
        self.screen = AppScreen(self.settings, self._presend)

    async def start(self, stack: AsyncExitStack) -> None:
        """Begin; `stack` ends it."""
        await stack.enter_async_context(self._poster)

    def add_routes(self, server: Server, callers: Callers, registry: Registry) -> None:
        """Their REST."""
        server.add(AuditRoutes(callers, self.trail.store).routes())
        server.add(SettingsRoutes(callers, registry, self.settings, self._presend).routes())

    def measure(self, metrics: Metrics) -> None:
        """Counters."""
        metrics.add_numbers("tokenim_presend", self._presend.stats)

"""Moderation put together: settings, screen, audit trail, bans and reports of one process."""

from contextlib import AsyncExitStack
from typing import Any

from signaling.adapters.sql import Database, SqlApps, SqlWaiting
from signaling.adapters.sql.audit import SqlAudit
from signaling.adapters.sql.moderation import SqlBans, SqlReports
from signaling.adapters.sql.privacies import SqlPrivacies
from signaling.audit.trail import Trail
from signaling.auth.registry import Registry, now_ms
from signaling.auth.revocation import Revoking
from signaling.auth.sealing import MasterKey
from signaling.auth.tokens import Tokens
from signaling.dispatch import Handler
from signaling.http.audit import AuditRoutes
from signaling.http.audited import Audited
from signaling.http.bans import BanRoutes
from signaling.http.callers import Callers
from signaling.http.poster import HttpPoster
from signaling.http.server import Server
from signaling.http.settings import SettingsRoutes
from signaling.messaging import Messaging
from signaling.metrics import Metrics
from signaling.moderation.ban import Bans
from signaling.moderation.presend import PreSend
from signaling.moderation.privacy import PrivacyService
from signaling.moderation.screen import AppScreen
from signaling.moderation.settings import SettingsAtHand
from signaling.outbox.news import News, NewsStore
from signaling.ports import Broker
from signaling.protocol import moderation as wire
from signaling.protocol.presence import PresencePrivacy
from signaling.services.reports import ReportService
from signaling.wiring import Core, Stores


class Moderating:
    """Made before messaging, which asks its screen."""

    def __init__(
        self, database: Database, master: MasterKey, revoking: Revoking, *, allow_private: bool
    ) -> None:
        self.trail = Trail(SqlAudit(database), now_ms)
        self.settings = SettingsAtHand(SqlApps(database), now_ms)
        self._poster = HttpPoster(allow_private=allow_private)
        self._presend = PreSend(self._poster, master.derive, now_ms)
        self.screen = AppScreen(self.settings, self._presend)

        self.bans = Bans(SqlBans(database), revoking, SqlWaiting(database), now_ms)
        self.stored = SqlReports(database)
        self._privacies = SqlPrivacies(database)
        self._news: NewsStore | None = None

    def table(self, messaging: Messaging, stores: Stores, broker: Broker) -> dict[str, Handler]:
        """The requests about reports."""
        reports = self.reports = ReportService(
            self.stored, stores.log, stores.conversations, broker, self.bans, now_ms
        )
        reports.act_through(messaging.amendments, messaging.membership, messaging.bans)
        reports.tell = self._tell
        self.privacy = PrivacyService(self._privacies, stores.conversations, self.settings, broker)
        messaging.blocks.on_block.append(self.privacy.changed)
        return {
            "presence:privacy": Handler(PresencePrivacy, self.privacy.choose),
            "message:report": Handler(wire.ReportMessage, reports.report),
            "report:list": Handler(wire.ListReports, reports.list),
            "report:resolve": Handler(wire.ResolveReport, reports.resolve),
        }

    def guard(self, tokens: Tokens) -> None:
        """Let nobody in who is shut out."""
        tokens.admit = self.bans.admit

    def listen(self, news: NewsStore) -> None:
        """Where webhooks hear of it."""
        self._news, self.bans.tell = news, self._tell

    def hide(self, core: Core) -> None:
        """Let presence ask who may see whom, and rooms write down what moderators do."""
        if core.rooms is not None:
            core.rooms.note = self.trail.note
        core.presence.privacy = self.privacy
        core.node.controls["presence:private"] = core.presence.reconsider

    async def _tell(self, app: str, kind: str, subject: str, data: dict[str, Any]) -> None:
        if self._news is not None:
            line = f"moderation {subject}"
            await self._news.put(News(app=app, type=kind, line=line, subject=subject, data=data))

    async def forget(self, app: str, user: str) -> None:
        """What is kept here of a user who is erased; a ban stays."""
        await self.stored.forget(app, user)
        await self._privacies.forget(app, user)

    async def start(self, stack: AsyncExitStack) -> None:
        """Begin; `stack` ends it."""
        await stack.enter_async_context(self._poster)

    def add_routes(self, server: Server, callers: Callers, registry: Registry) -> None:
        """Their REST, and the eye on that of others."""
        server.within(Audited(self.trail).middleware)
        server.add(AuditRoutes(callers, self.trail.store).routes())
        server.add(BanRoutes(callers, self.bans).routes())
        server.add(SettingsRoutes(callers, registry, self.settings, self._presend).routes())

    def measure(self, metrics: Metrics) -> None:
        """Counters."""
        metrics.add_numbers("tokenim_presend", self._presend.stats)

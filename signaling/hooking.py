"""Webhooks put together: from the log and the news through the outbox to other people's servers."""

from contextlib import AsyncExitStack
from functools import partial

from signaling.adapters.sql import Database
from signaling.adapters.sql.audit import SqlAudit
from signaling.adapters.sql.news import SqlLeases, SqlNews
from signaling.adapters.sql.outbox import SqlOutbox
from signaling.adapters.sql.webhooks import SqlWebhooks
from signaling.audit.trail import SYSTEM, Trail
from signaling.auth.registry import now_ms
from signaling.auth.sealing import MasterKey
from signaling.http.callers import Callers
from signaling.http.poster import HttpPoster
from signaling.http.webhooks import WebhookRoutes
from signaling.outbox.calls import CallNews
from signaling.outbox.collector import Collector, LogTail
from signaling.outbox.dispatcher import Dispatcher
from signaling.outbox.lease import Lease
from signaling.outbox.news import PAGE, News, Wanted, deliveries_of
from signaling.outbox.presence import PresenceNews, Present
from signaling.outbox.runner import PAUSE_S, OutboxRunner
from signaling.outbox.webhook import Webhook, new_webhook
from signaling.tasks import Tasks
from signaling.wiring import Core

WANTED_S = 2.0
LOOK_AGAIN_S = 60.0
FORGET_S = 3600.0
AGE_S = 60.0
DEAD_KEPT_MS = 30 * 86_400_000


class Hooking:
    """The outbox of one process."""

    def __init__(
        self,
        database: Database,
        log: LogTail,
        node: str,
        master: MasterKey,
        present: Present,
        *,
        allow_private: bool,
        alone: bool,
    ) -> None:
        # passed in
        self._master = master
        self._alone = alone
        # made here
        self.webhooks, self.outbox = SqlWebhooks(database), SqlOutbox(database)
        self.news = SqlNews(database)
        self._trail = Trail(SqlAudit(database), now_ms)
        self.poster = HttpPoster(allow_private=allow_private)
        self.lease = Lease(SqlLeases(database), "outbox", node, now_ms)
        self.wanted = Wanted(self.webhooks)
        self.presence = PresenceNews(self.news, present, self.wanted, now_ms)
        self.calls = CallNews(self.news, self.wanted)
        self._collector = Collector(log, self.webhooks, self.outbox)
        self._dispatcher = Dispatcher(
            self.webhooks,
            self.outbox,
            self.poster,
            lambda hook: master.open(hook.sealed, hook.id),
            now_ms,
            self.lease.held,
            self._disabled,
        )
        collects = (self._collector.collect, partial(self.news.take, PAGE, deliveries_of))
        self._runner = OutboxRunner(collects, self._dispatcher, self.lease)

    async def start(self, stack: AsyncExitStack) -> None:
        """Begin; `stack` ends it, the work before its way out."""
        await stack.enter_async_context(self.poster)
        stack.push_async_callback(self._runner.close)
        tasks = Tasks()
        stack.push_async_callback(tasks.close)
        if self._alone:
            await self.lease.seize()
        await self._collector.begin()
        await self.wanted.refresh()
        tasks.every(WANTED_S, self.wanted.refresh, "read webhooks")
        tasks.every(PAUSE_S, self._runner.round, "outbox")
        tasks.every(LOOK_AGAIN_S, self._look_again, "look again at presence")
        tasks.every(FORGET_S, self._forget, "forget dead letters")
        tasks.every(AGE_S, self._dispatcher.age, "set old deliveries aside")

    def listen(self, core: Core) -> None:
        """Hear of what is not in the log."""
        core.presence.on_change.append(self.presence.changed)
        core.call_host.watchers.append(self.calls.watch)

    async def add(self, app: str, url: str, events: tuple[str, ...]) -> str:
        """A webhook of an app; its signing secret. Raises Refused not_found."""
        hook, secret = new_webhook(self._master, app, url, events)
        await self.webhooks.put(hook)
        await self.wanted.refresh()
        return secret

    async def _disabled(self, hook: Webhook) -> None:
        """The app's other webhooks hear of it, and the trail."""
        data = {"webhook": hook.id, "url": hook.url, "failing_since": hook.failing_since}
        await self._trail.note(hook.app, SYSTEM, "webhook:disabled", hook.id, **data)
        line = f"webhook {hook.id}"
        told = News(app=hook.app, type="webhook:disabled", line=line, subject=hook.id, data=data)
        await self.news.put(told)
        await self.wanted.refresh()

    async def _look_again(self) -> None:
        if await self.lease.held():
            await self.presence.look_again()

    async def _forget(self) -> None:
        if await self.lease.held():
            await self.outbox.forget(now_ms() - DEAD_KEPT_MS)

    def routes(self, callers: Callers, trail: Trail) -> WebhookRoutes:
        """Their REST."""
        return WebhookRoutes(callers, self.webhooks, self.outbox, self._master, self.wanted, trail)

    def stats(self) -> dict[str, int]:
        """Counters for the metrics."""
        return {"queued_total": self._collector.queued_total, **self._dispatcher.stats()}

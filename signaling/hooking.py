"""Webhooks put together: from the log through the outbox to other people's servers."""

from contextlib import AsyncExitStack

from signaling.adapters.sql import Database
from signaling.adapters.sql.outbox import SqlOutbox, SqlWebhooks
from signaling.auth.registry import now_ms
from signaling.auth.sealing import MasterKey
from signaling.http.callers import Callers
from signaling.http.poster import HttpPoster
from signaling.http.webhooks import WebhookRoutes
from signaling.outbox.collector import Collector, LogTail
from signaling.outbox.dispatcher import Dispatcher
from signaling.outbox.runner import Claims, OutboxRunner
from signaling.tasks import Tasks


class Hooking:
    """The outbox of one process."""

    def __init__(
        self,
        database: Database,
        log: LogTail,
        claims: Claims,
        node: str,
        master: MasterKey,
        *,
        allow_private: bool,
    ) -> None:
        self._master = master
        self._webhooks, self._outbox = SqlWebhooks(database), SqlOutbox(database)
        self._poster = HttpPoster(allow_private=allow_private)
        dispatcher = Dispatcher(
            self._webhooks,
            self._outbox,
            self._poster,
            lambda hook: master.open(hook.sealed, hook.id),
            now_ms,
        )
        collector = Collector(log, self._webhooks, self._outbox)
        self.runner = OutboxRunner(collector, dispatcher, claims, node)

    async def start(self, stack: AsyncExitStack) -> None:
        """Begin; `stack` ends it, the work before its way out."""
        await stack.enter_async_context(self._poster)
        tasks = Tasks()
        stack.push_async_callback(tasks.close)
        await self.runner.start(tasks)

    def routes(self, callers: Callers) -> WebhookRoutes:
        """Their REST."""
        return WebhookRoutes(callers, self._webhooks, self._outbox, self._master)

"""Web Push put together: from the log and the calls to browsers that sleep."""

from contextlib import AsyncExitStack

from signaling.adapters.sql import Database
from signaling.adapters.sql.news import SqlLeases, SqlNews
from signaling.adapters.sql.outbox import SqlOutbox
from signaling.adapters.sql.push import SqlPushes, SqlSubscriptions
from signaling.adapters.sql.webhooks import SqlWebhooks
from signaling.adapters.webpush import Vapid, check_keys, encrypt
from signaling.auth.registry import now_ms
from signaling.auth.sealing import MasterKey
from signaling.dispatch import Handler
from signaling.outbox.dispatcher import Poster
from signaling.outbox.lease import Lease
from signaling.outbox.push_collector import Live, PushCollector
from signaling.outbox.push_dispatcher import PushDispatcher
from signaling.outbox.runner import PAUSE_S, OutboxRunner
from signaling.protocol.push import PushKey, PushSubscribe, PushUnsubscribe
from signaling.services.push import PushService
from signaling.tasks import Tasks
from signaling.wiring import Core, Stores


class Pushing:
    """Web Push of one process; `poster` is opened and closed by its owner."""

    def __init__(
        self,
        database: Database,
        stores: Stores,
        live: Live,
        poster: Poster,
        master: MasterKey,
        node: str,
        *,
        contact: str,
        alone: bool,
    ) -> None:
        # passed in
        self._alone = alone
        # made here
        subscriptions, pushes = SqlSubscriptions(database), SqlPushes(database)
        vapid = Vapid(master, contact)
        self._service = PushService(subscriptions, vapid.public, check_keys, now_ms)
        self._lease = Lease(SqlLeases(database), "push", node, now_ms)
        self._collector = PushCollector(
            stores.log,
            pushes,
            SqlOutbox(database),
            SqlWebhooks(database),
            SqlNews(database),
            stores.conversations,
            stores.users,
            live,
            now_ms,
        )
        self._dispatcher = PushDispatcher(
            pushes, subscriptions, poster, vapid, encrypt, now_ms, self._lease.held
        )
        self._runner = OutboxRunner((self._collector.collect,), self._dispatcher, self._lease)

    def listen(self, core: Core) -> None:
        """Hear of calls, and answer requests."""
        core.call_host.watchers.append(self._collector.ring)
        core.add(
            {
                "push:key": Handler(PushKey, self._service.key),
                "push:subscribe": Handler(PushSubscribe, self._service.subscribe),
                "push:unsubscribe": Handler(PushUnsubscribe, self._service.unsubscribe),
            }
        )

    async def start(self, stack: AsyncExitStack) -> None:
        """Begin; `stack` ends it."""
        stack.push_async_callback(self._runner.close)
        tasks = Tasks()
        stack.push_async_callback(tasks.close)
        if self._alone:
            await self._lease.seize()
        await self._collector.begin()
        tasks.every(PAUSE_S, self._runner.round, "push")

    def stats(self) -> dict[str, int]:
        """Counters for the metrics."""
        return {"queued_total": self._collector.queued_total, **self._dispatcher.stats()}

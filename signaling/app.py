"""Composition: the parts of a process, made in the order they need each other."""

import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import media
from media.whip import Whip
from signaling import addresses, dev, ids, ready
from signaling.accounting import Accounting
from signaling.adapters.blobs import ObjectBlobs, open_blobs
from signaling.adapters.memory_broker import MemoryBroker
from signaling.adapters.memory_presence import MemoryPresence
from signaling.adapters.memory_registry import MemoryRegistry
from signaling.adapters.pictures import PillowPictures
from signaling.adapters.sql import (
    Database,
    SqlApps,
    SqlCalls,
    SqlConversations,
    SqlFiles,
    SqlInvites,
    SqlLog,
    SqlPresences,
    SqlSearch,
    SqlUsers,
    SqlWaiting,
    open_database,
)
from signaling.allowance import Allowances, AllowedHooks
from signaling.app_origins import OriginHooks
from signaling.auth.registry import Registry, now_ms
from signaling.auth.sealing import MasterKey
from signaling.config import ConfigError, Settings, check_secrets
from signaling.doctor import SHARED, kept_apart
from signaling.filing import Filing, NoRooms, Outside
from signaling.gateway import Gateway
from signaling.guarding import Guarding
from signaling.hooking import Hooking
from signaling.http import certificate
from signaling.http.callers import Callers
from signaling.http.demo import Demo
from signaling.http.docs import Docs
from signaling.http.files import FileRoutes
from signaling.http.health import Health
from signaling.http.live import LiveRoutes
from signaling.http.pages import Pages, root
from signaling.http.rest import Rest
from signaling.http.server import Server
from signaling.http.streaming import REVIEW_S, Admitting, HttpStreams
from signaling.http.unknown import Unknown
from signaling.keeping import Keeping
from signaling.late import Late
from signaling.messaging import Beside, Messaging
from signaling.metrics import Metrics
from signaling.moderating import Moderating
from signaling.office import plans_of
from signaling.ports import Hooks
from signaling.pushing import Pushing
from signaling.services.file_posting import FilePosting
from signaling.services.files import FileLimits
from signaling.services.limits import Limits
from signaling.services.links import Links
from signaling.shared_seats import Roll
from signaling.tasks import Tasks
from signaling.wiring import Core, Shared, Stores

log = logging.getLogger(__name__)


class Process:
    """A running TokenIM: `start`, then `drain` when there is time, then `close`."""

    def __init__(self, settings: Settings) -> None:
        """Raises ConfigError for a missing or default master key, OSError for a certificate."""
        check_secrets(settings)
        # passed in
        self._settings = settings
        # made here
        self._stack = AsyncExitStack()
        self._master = MasterKey(settings.master_key)
        self._node = settings.node or ids.new("n")
        self._tasks = Tasks()
        self._checks: dict[str, Any] = {}
        self.metrics = Metrics()
        self.health = Health(self.metrics, self._checks)
        self.server = self._server()
        self._hooks: Any = Late("node")
        self.gateway = Gateway(settings.edge, self._hooks)
        self.sfu: media.Sfu | None = None
        self._whip: Whip | None = None

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it, while it runs."""
        return self.urls[0]

    @property
    def urls(self) -> list[str]:
        """That, and where others on its network do."""
        return addresses.urls(self._settings.http, self.server.port)

    async def start(self) -> None:
        """Make everything and listen. Raises OSError, ConfigError; nothing is left open then."""
        try:
            await self._start()
        except BaseException:
            await self.close()
            raise

    async def drain(self) -> None:
        """Get no new callers, and send those that are here elsewhere."""
        self.health.drain()
        await self.gateway.drain()

    async def close(self) -> None:
        """Close everything, last made first."""
        await self._stack.aclose()

    async def _start(self) -> None:
        settings, hold = self._settings, self._stack.push_async_callback
        settings.storage.data_dir.mkdir(parents=True, exist_ok=True)
        database = await open_database(settings.database_url)
        hold(database.close)
        hold(self._tasks.close)  # they use the database to their end
        stores = Stores(
            SqlLog(database), SqlConversations(database), SqlUsers(database), SqlCalls(database)
        )
        self.people = stores.users
        registry = self.registry = Registry(SqlApps(database), self._master)
        shared = self._shared(database)
        guarding = self.guarding = Guarding(
            settings,
            database,
            registry,
            shared.broker,
            lambda fits: core.node.cut(fits),  # noqa: PLW0108 - the node comes later
            shared.pot,
        )
        messaging = Messaging(
            stores.log,
            stores.conversations,
            stores.users,
            Beside(SqlSearch(database), SqlInvites(database), SqlWaiting(database)),
            shared.broker,
            Limits.of(settings.limits),
            now_ms,
            (await self._moderating(database, guarding)).screen,
        )
        accounting = self.accounting = self._accounting(database, shared, messaging)
        rooms: Any = Late("rooms")
        blobs = self.blobs = open_blobs(
            settings.storage.blobs_url, settings.storage.data_dir / "blobs"
        )
        filing = self._filing(SqlFiles(database), stores, shared, messaging, rooms, blobs)
        core = Core(
            self._node,
            shared,
            stores,
            self.gateway,
            messaging.history,
            guarding.tokens.verify,
            now_ms,
            (lambda emit: self._sfu(emit, filing)) if settings.media.enabled else None,
            participants_max=settings.limits.room_participants,
            grace_s=settings.media.grace_ms / 1000,
            ring_s=settings.media.ring_ms / 1000,
        )
        core.add({**messaging.table(), **self.moderating.table(messaging, stores, shared.broker)})
        core.add({**filing.table(), **guarding.table(stores)})
        filing.files.allowed_bytes = accounting.quota.stored_bytes
        counted = accounting.hooks(OriginHooks(core.node, registry.app))
        self._hooks.become(self._allowed(counted, guarding.allowances))
        rooms.become(core.rooms or NoRooms())
        if self.sfu is not None:
            await self._start_media(self.sfu)
        hold(core.close)
        await core.start()
        filing.start(self._tasks)
        messaging.start(self._tasks)
        self._watch(core, stores)
        hooking = await self._hooking(database, stores, shared, core)
        self._keep(database, blobs, shared, guarding.callers)
        await accounting.start(self._tasks)
        core.node.table = accounting.quota.guard(core.node.table)
        await guarding.start(self._stack, self._tasks, self.server, self._master)
        await self._listen(registry, guarding, filing, core, stores, shared, hooking)

    def _watch(self, core: Core, stores: Stores) -> None:
        """What /metrics and /readyz look at."""
        self.metrics.add_numbers("tokenim_gateway", self.gateway.stats)
        self._checks["database"] = lambda: stores.log.tail(-1, 0)
        for part, stats in core.stats().items():
            self.metrics.add_numbers(f"tokenim_{part}", stats)

    async def _listen(
        self,
        registry: Registry,
        guarding: Guarding,
        filing: Filing,
        core: Core,
        stores: Stores,
        shared: Shared,
        hooking: Hooking,
    ) -> None:
        settings, server = self._settings, self.server
        callers, tokens = guarding.callers, guarding.tokens
        node = self.node = core.node
        table = self.table = node.table
        ready.greet(node, settings, now_ms)
        self.gateway.attach(server.application)
        server.add(self.health.routes())
        server.add(Docs({name: handler.request for name, handler in table.items()}).routes())
        server.add(FileRoutes(filing.files, callers.acting).routes())
        server.add(Rest(table, callers).routes())
        guarding.add_routes(server, stores)
        self.moderating.add_routes(server, callers, registry)
        self.metrics.add_numbers("tokenim_rest", guarding.rates.stats)
        trail = self.moderating.trail
        server.add(hooking.routes(callers, trail).routes())
        server.add(LiveRoutes(callers, core.live_rooms, shared.presence, trail).routes())
        server.add(self.accounting.routes(callers, trail).routes())
        if self.sfu is not None and core.rooms is not None:
            admitting = Admitting(tokens, core.rooms, shared.registry, self._node)
            self._whip = Whip(self.sfu, admitting)
            self._stack.push_async_callback(self._whip.close)
            self._tasks.every(REVIEW_S, self._whip.review, "judge streams again")
            server.add(self._whip.routes())
            if core.live_rooms is not None:
                core.live_rooms.streams = HttpStreams(self._whip)
        if settings.dev.enabled:
            key = await dev.guest_key(registry, settings.storage.data_dir, settings.master_key)
            server.add(Demo(tokens, key).routes())
        server.add(Unknown().routes())
        server.add(Pages(root()).routes())
        self._stack.push_async_callback(server.close)
        await server.start()

    def _shared(self, database: Database) -> Shared:
        redis, name, kept = self._settings.redis, self._node, SqlPresences(database)
        if not redis.url:
            presence = MemoryPresence(store=kept)
            return Shared(MemoryBroker(name), presence, MemoryRegistry(), alone=True)
        from signaling.adapters.redis_shared import RedisShared  # noqa: PLC0415 - heavy, seldom used

        shared = RedisShared(redis.url, name, self._master.derive("bus"), redis.prefix, kept)
        self._stack.push_async_callback(shared.close)
        self._checks["redis"] = shared.check
        self.metrics.add_numbers("tokenim_broker", shared.broker.stats)
        roll = Roll(shared.ledger, name)
        self._stack.push_async_callback(roll.close)
        roll.start()
        self.gateway.share(roll.seats)
        return Shared(shared.broker, shared.presence, shared.registry, alone=False, pot=shared.pot)

    async def _hooking(
        self, database: Database, stores: Stores, shared: Shared, core: Core
    ) -> Hooking:
        hooking = self.hooking = Hooking(
            database,
            stores.log,
            self._node,
            self._master,
            shared.presence,
            allow_private=self._settings.http.webhooks_to_private,
            alone=shared.alone,
        )
        hooking.listen(core)
        self.moderating.listen(hooking.news)
        self.moderating.hide(core)
        await hooking.start(self._stack)
        self.metrics.add_numbers("tokenim_outbox", hooking.stats)
        pushing = Pushing(
            database,
            stores,
            shared.presence,
            hooking.poster,
            self._master,
            self._node,
            contact=self._settings.push_contact,
            alone=shared.alone,
        )
        pushing.listen(core)
        await pushing.start(self._stack)
        self.metrics.add_numbers("tokenim_push", pushing.stats)
        return hooking

    def _keep(
        self, database: Database, blobs: ObjectBlobs, shared: Shared, callers: Callers
    ) -> None:
        keeping = self.keeping = Keeping(
            database,
            blobs,
            shared.broker,
            Links(self._master.derive("archive links")),
            self._settings.storage.data_dir / "exports",
            self._node,
            now_ms,
            self.guarding.revoking.user,
            also=(self.moderating.forget,),
        )
        keeping.start(self._tasks)
        self.server.add(keeping.routes(callers).routes())

    def _accounting(self, database: Database, shared: Shared, messaging: Messaging) -> Accounting:
        settings = self._settings
        plans, default = plans_of(settings), settings.usage.default_plan
        accounting = Accounting(
            database, shared.broker, self._node, plans, default, alone=shared.alone
        )
        messaging.messages.sending = accounting.quota.sending
        self.metrics.add_numbers("tokenim_usage", accounting.metering.stats)
        return accounting

    async def _moderating(self, database: Database, guarding: Guarding) -> Moderating:
        allow_private = self._settings.http.webhooks_to_private
        moderating = self.moderating = Moderating(
            database, self._master, guarding.revoking, allow_private=allow_private
        )
        moderating.guard(guarding.tokens)
        await moderating.start(self._stack)
        moderating.measure(self.metrics)
        return moderating

    def _allowed(self, node: Hooks, allowances: Allowances) -> AllowedHooks:
        self.metrics.add_numbers("tokenim_allowance", allowances.stats)
        return AllowedHooks(node, allowances)

    def _filing(
        self,
        records: SqlFiles,
        stores: Stores,
        shared: Shared,
        messaging: Messaging,
        rooms: Any,
        blobs: ObjectBlobs,
    ) -> Filing:
        settings = self._settings
        if kept_apart(settings):
            log.warning("what other nodes keep is not here: set storage.blobs_url to %s", SHARED)
        data_dir, limits = settings.storage.data_dir, settings.limits
        outside = Outside(
            records=records,
            members=stores.conversations,
            posting=FilePosting(messaging.messages, stores.users),
            rooms=rooms,
            who=lambda *seat: rooms.identity(*seat),  # noqa: PLW0108 - rooms come later
            log=stores.log,
            broker=shared.broker,
            clock=now_ms,
            pictures=PillowPictures(data_dir / "pictures"),
        )
        return Filing(
            outside,
            data_dir / "spool",
            blobs,
            Links(self._master.derive("file links"), settings.storage.files_url),
            FileLimits(file_bytes=limits.file_bytes, app_files_bytes=limits.app_files_bytes),
        )

    def _sfu(self, emit: Callable[[media.SfuEvent], None], filing: Filing) -> media.Sfu:
        settings = self._settings
        announced = addresses.announced(settings)
        config = media.SfuConfig(
            host=settings.media_host, port=settings.media.port, announced=announced
        )

        def told(event: media.SfuEvent) -> None:
            emit(event)
            if self._whip is not None:
                self._whip.happened(event)

        self.sfu = media.Sfu(config, told, filing.relay)
        return self.sfu

    async def _start_media(self, sfu: media.Sfu) -> None:
        self._stack.push_async_callback(sfu.close)
        try:
            await sfu.start()
        except OSError as error:
            where = f"{self._settings.media_host or '*'}:{self._settings.media.port}/udp"
            raise OSError(error.errno, f"media cannot use {where}: {error.strerror}") from error
        self.metrics.add_numbers("tokenim_media", sfu.stats)

    def _server(self) -> Server:
        http = self._settings.http
        try:
            return Server(
                http,
                self.metrics,
                certificate.chosen(http, self._settings.storage.data_dir),
                strict_transport=bool(http.tls_cert),
                origins=self._settings.gateway.origins,
            )
        except ValueError as error:
            raise ConfigError(f"http.trusted_proxies: {error}") from error

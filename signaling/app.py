"""Composition: the parts of a process, made in the order they need each other."""

import asyncio
import contextlib
import logging
import signal
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack

from signaling import dev
from signaling.adapters.sql import SqlApps, open_database
from signaling.auth.registry import Registry
from signaling.auth.sealing import MasterKey
from signaling.auth.tokens import Tokens
from signaling.config import ConfigError, Settings, check_secrets
from signaling.http import certificate
from signaling.http.demo import Demo
from signaling.http.health import Health
from signaling.http.pages import Pages, root
from signaling.http.server import Server
from signaling.metrics import Metrics

log = logging.getLogger(__name__)


class Process:
    """A running process: `start`, then `close` once."""

    def __init__(self, settings: Settings) -> None:
        """Raises ConfigError for a missing or default master key."""
        check_secrets(settings)
        # passed in
        self._settings = settings
        # made here
        self._stack = AsyncExitStack()
        self.metrics = Metrics()
        self.server = self._server()
        self.health: Health

    @property
    def url(self) -> str:
        """Where a browser finds it, while it runs."""
        http = self._settings.http
        if http.public_url:
            return http.public_url
        scheme = "https" if http.tls_self or http.tls_cert else "http"
        host = "localhost" if http.host in ("0.0.0.0", "::", "") else http.host  # noqa: S104
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.server.port}"

    async def start(self) -> None:
        """Make everything and listen. Raises OSError, ConfigError; nothing is left open then."""
        try:
            await self._start()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close everything, last made first."""
        await self._stack.aclose()

    async def _start(self) -> None:
        settings, master = self._settings, MasterKey(self._settings.master_key)
        settings.storage.data_dir.mkdir(parents=True, exist_ok=True)
        database = await open_database(settings.database_url)
        self._stack.push_async_callback(database.close)
        registry = Registry(SqlApps(database), master)
        tokens = Tokens(registry)
        self.health = Health(self.metrics, {})
        self.server.add(self.health.routes())
        if settings.dev.enabled:
            key = await dev.guest_key(registry, settings.storage.data_dir, settings.master_key)
            self.server.add(Demo(tokens, key).routes())
        self.server.add(Pages(root()).routes())
        self._stack.push_async_callback(self.server.close)
        await self.server.start()

    def _server(self) -> Server:
        http = self._settings.http
        try:
            return Server(http, self.metrics, self._tls(), strict_transport=bool(http.tls_cert))
        except ValueError as error:
            raise ConfigError(f"http.trusted_proxies: {error}") from error

    def _tls(self) -> ssl.SSLContext | None:
        http = self._settings.http
        if http.tls_cert is not None:
            return certificate.context(http.tls_cert, http.tls_key or http.tls_cert)
        if http.tls_self:
            return certificate.context(*certificate.self_signed(self._settings.storage.data_dir))
        return None


async def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Run a process until SIGTERM or SIGINT; `announce` gets its URL once it listens."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(name, stop.set)
    process = Process(settings)
    await process.start()
    try:
        announce(process.url)
        await stop.wait()
        process.health.drain()
    finally:
        await process.close()

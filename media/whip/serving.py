"""The SFU alone: one process, UDP for media, HTTP for WHIP and WHEP."""

import asyncio
import contextlib
import ipaddress
import signal
import sys
from collections.abc import Callable

from aiohttp import web

from media.config import SfuConfig
from media.events import SfuEvent
from media.sfu import Sfu
from media.whip.admission import Gate
from media.whip.app import WHIP, create_app

SHUTDOWN_TIMEOUT_S = 5.0


def _say(url: str) -> None:
    sys.stdout.write(f"The SFU is at {url}: POST /whip/{{room}}, POST /whep/{{room}}\n")
    sys.stdout.flush()


class Standalone:
    """An Sfu and its HTTP server."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        udp_port: int,
        token: str | None = None,
        udp_host: str = "",
        announced: tuple[str, ...] = (),
    ) -> None:
        """Ports may be 0. Raises ValueError when others could reach it without a token."""
        if token is None and not _loopback(host):
            raise ValueError("a token is required to listen on other addresses than loopback")
        # passed in
        self._host, self._port = host, port
        # made here
        config = SfuConfig(host=udp_host, port=udp_port, announced=announced)
        self.sfu = Sfu(config, self._happened)
        self._app = create_app(self.sfu, Gate(token))
        self._runner = web.AppRunner(
            self._app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S
        )

    def _happened(self, event: SfuEvent) -> None:
        self._app[WHIP].happened(event)

    async def start(self) -> None:
        """Listen. Raises OSError when a port is taken; nothing is left open then."""
        await self.sfu.start()
        try:
            await self._runner.setup()
            await web.TCPSite(self._runner, self._host, self._port).start()
        except BaseException:
            await self.close()
            raise

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._runner.addresses[0][:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    async def close(self) -> None:
        """End every session and release both ports."""
        await self._runner.cleanup()
        await self.sfu.close()


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 8081,
    udp_port: int = 7882,
    token: str | None = None,
    announced: tuple[str, ...] = (),
    announce: Callable[[str], None] = _say,
) -> None:
    """Run until SIGTERM or SIGINT; `announce` gets the URL once it listens.

    `announced` are the addresses for candidates; without them they are found. Raises ValueError
    and OSError as Standalone does.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(name, stop.set)
    standalone = Standalone(
        host=host, port=port, udp_port=udp_port, token=token, announced=announced
    )
    await standalone.start()
    try:
        announce(standalone.url)
        await stop.wait()
    finally:
        await standalone.close()

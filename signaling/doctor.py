"""What a machine needs before calls work on it, looked at one by one."""

import asyncio
import http.client
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from typing import Any

import msgspec

from signaling.addresses import EVERY, announced, lan_addresses
from signaling.config import LOOPBACK, ConfigError, Settings, check_secrets

SERVER = "tokenim"
"""How `/healthz` names us."""

TIMEOUT_S = 10.0
"""For whoever is asked something: a busy server of ours is no stranger."""
CHECK_S = 30.0
"""For one check: on a slow disk a database is not made in a moment."""
CLOCK_SKEW_S = 2.0
YEAR_2025_S = 1_735_689_600


SHARED = "s3://…, or file:///… for a directory that all nodes have"


def kept_apart(settings: Settings) -> bool:
    """Whether there are other nodes, and nothing says that they have the same files."""
    return bool(settings.redis.url) and not settings.storage.blobs_url


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at; `advice` says what would help."""

    check: str
    ok: bool
    detail: str
    advice: str = ""


class _Failed(Exception):
    def __init__(self, detail: str, advice: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.advice = advice


class Doctor:
    """Looks at the machine as `serve` would use it; may make the data directory and database."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def examine(self) -> list[Finding]:
        """Every check, in the order people fix them."""
        checks: list[tuple[str, Callable[[], Awaitable[str]]]] = [
            ("secrets", self._secrets),
            ("data directory", self._data_dir),
            ("HTTP port", self._http_port),
            ("UDP port", self._udp_port),
            ("browser address", self._browser_address),
            ("database", self._database),
            ("Redis", self._redis),
            ("files", self._files),
            ("clock", self._clock),
        ]
        return [await _finding(name, check) for name, check in checks]

    async def _secrets(self) -> str:
        try:
            check_secrets(self._settings)
        except ConfigError as error:
            raise _Failed(str(error), "") from error
        return "the master key is set"

    async def _data_dir(self) -> str:
        folder = self._settings.storage.data_dir.absolute()
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".doctor-{time.monotonic_ns()}"
        probe.write_bytes(b"x")
        probe.unlink()
        return f"{folder} is writable"

    async def _http_port(self) -> str:
        ours = self._settings.http
        try:
            with _bound(ours.host, ours.port, socket.SOCK_STREAM):
                return f"{ours.host}:{ours.port} is free"
        except _Failed:
            if await self._runs():
                return f"{ours.host}:{ours.port} is held by a TokenIM that runs"
            raise

    async def _udp_port(self) -> str:
        host, port = self._settings.media_host, self._settings.media.port
        try:
            server = _bound(host, port, socket.SOCK_DGRAM)
        except _Failed:
            if await self._runs():
                return f"{host}:{port}/udp is held while a TokenIM runs"
            raise
        with server:
            server.setblocking(False)
            loop = asyncio.get_running_loop()
            with socket.socket(server.family, socket.SOCK_DGRAM) as client:
                client.sendto(b"doctor", (_here(host), server.getsockname()[1]))
                await asyncio.wait_for(loop.sock_recv(server, 64), TIMEOUT_S)
        return f"{host}:{port}/udp is free and passes datagrams"

    async def _runs(self) -> bool:
        """Whether what holds the HTTP port is one of us."""
        ours = self._settings.http
        tls = ours.tls_self or ours.tls_cert is not None
        return await asyncio.to_thread(_is_ours, _here(ours.host), ours.port, tls)

    async def _browser_address(self) -> str:
        settings = self._settings
        told = announced(settings) or _reachable(settings.media_host)
        remote = [entry for entry in told if not ip_address(entry).is_loopback]
        here_only = settings.http.host in LOOPBACK and not settings.http.public_url
        if not remote or here_only:
            return "only browsers on this machine can call; use --host to let others in"
        if not self._encrypted():
            raise _Failed(
                f"media at {', '.join(remote)}, but pages come over plain HTTP",
                "browsers give cameras to HTTPS pages only: --tls self, a certificate, or a proxy",
            )
        return f"media at {', '.join(remote)}"

    async def _database(self) -> str:
        from signaling.adapters.sql import open_database  # noqa: PLC0415 - heavy, and only here

        database = await open_database(self._settings.database_url)
        await database.close()
        return self._settings.database_url.split("://")[0]

    async def _redis(self) -> str:
        if not self._settings.redis.url:
            return "not used: this node is alone"
        redis_s = await _redis_time_s(self._settings.redis.url)
        skew_s = abs(redis_s - time.time())
        if skew_s > CLOCK_SKEW_S:
            raise _Failed(f"its clock differs by {skew_s:.1f} s", "run an NTP client on both hosts")
        return "answers, and its clock agrees"

    async def _files(self) -> str:
        if kept_apart(self._settings):
            raise _Failed(
                "each node keeps files in its own data directory",
                "set storage.blobs_url: " + SHARED,
            )
        return self._settings.storage.blobs_url or "in the data directory"

    async def _clock(self) -> str:
        if time.time() < YEAR_2025_S:
            raise _Failed(
                "this machine lives in the past", "tokens would be refused: set the clock"
            )
        return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())

    def _encrypted(self) -> bool:
        ours = self._settings.http
        proxied = (ours.public_url or "").startswith("https://")
        return ours.tls_self or ours.tls_cert is not None or proxied


async def _finding(name: str, check: Callable[[], Awaitable[str]]) -> Finding:
    try:
        detail = await asyncio.wait_for(check(), CHECK_S)
    except _Failed as failed:
        return Finding(check=name, ok=False, detail=failed.detail, advice=failed.advice)
    except Exception as error:  # noqa: BLE001 - whatever a driver raises is the finding
        return Finding(check=name, ok=False, detail=f"{type(error).__name__}: {error}")
    return Finding(check=name, ok=True, detail=detail)


def _bound(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, kind)
    try:
        if kind == socket.SOCK_STREAM:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
    except OSError as error:
        made.close()
        what = "udp" if kind == socket.SOCK_DGRAM else "tcp"
        raise _Failed(
            f"{host}:{port}/{what}: {error.strerror}", "stop what holds it, or choose another port"
        ) from error
    return made


def _here(host: str) -> str:
    """Where this machine reaches what listens on `host`."""
    return {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def _is_ours(host: str, port: int, tls: bool) -> bool:
    asking = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    if tls:
        # Only asked who it is: nobody vouches for a certificate of our own.
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        asking = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=trust)
    try:
        asking.request("GET", "/healthz")
        said = msgspec.json.decode(asking.getresponse().read(4096), type=dict[str, Any])
    except (OSError, http.client.HTTPException, msgspec.MsgspecError):
        return False
    finally:
        asking.close()
    return said.get("server") == SERVER


def _reachable(host: str) -> Sequence[str]:
    return lan_addresses() if host in EVERY else [socket.gethostbyname(host)]


async def _redis_time_s(url: str) -> float:
    from signaling.adapters.redis_clock import time_s  # noqa: PLC0415 - heavy, and only here

    return await time_s(url)

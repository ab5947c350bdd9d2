"""A push service and the browsers behind it: takes pushes over HTTP and decrypts what comes."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import http_ece
import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

WAIT_S = 60


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Browser:
    """One installation: its keys, and what arrived."""

    endpoint: str
    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    secret: bytes = b"0123456789abcdef"
    answers: list[int] = field(default_factory=list)
    got: asyncio.Queue[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=asyncio.Queue)
    tries: int = 0

    def subscription(self) -> dict[str, Any]:
        """What `PushSubscription.toJSON()` gives."""
        point = self.private.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )
        keys = {"p256dh": encode(point), "auth": encode(self.secret)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    async def next(self) -> tuple[dict[str, str], dict[str, Any]]:
        """(headers, what the service worker is given)."""
        async with asyncio.timeout(WAIT_S):
            return await self.got.get()

    def decrypted(self, body: bytes) -> dict[str, Any]:
        plain = http_ece.decrypt(
            body, private_key=self.private, auth_secret=self.secret, version="aes128gcm"
        )
        return dict(json.loads(plain))


class PushService:
    """`browser(name)` subscribes one."""

    def __init__(self) -> None:
        self.url = ""
        self._browsers: dict[str, Browser] = {}

    def browser(self, name: str) -> Browser:
        made = self._browsers[name] = Browser(f"{self.url}/{name}")
        return made

    async def take(self, request: web.Request) -> web.Response:
        browser = self._browsers[request.match_info["name"]]
        browser.tries += 1
        status = browser.answers.pop(0) if browser.answers else 201
        if status < 300:
            told = browser.decrypted(await request.read())
            browser.got.put_nowait((dict(request.headers), told))
        return web.Response(status=status)


def claims(headers: dict[str, str], key: str, audience: str) -> dict[str, Any]:
    """What VAPID says, verified with the key the browser subscribed with."""
    parts = dict(
        part.strip().split("=", 1)
        for part in headers["Authorization"].removeprefix("vapid ").split(",")
    )
    assert parts["k"] == key
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(key))
    return dict(jwt.decode(parts["t"], public, algorithms=["ES256"], audience=audience))


@asynccontextmanager
async def push_service() -> AsyncIterator[PushService]:
    """Listening."""
    service = PushService()
    application = web.Application()
    application.router.add_post("/{name}", service.take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield service
    finally:
        await runner.cleanup()

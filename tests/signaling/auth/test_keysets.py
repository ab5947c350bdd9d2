"""Key sets at an app's own URL: https, public, small, remembered; and whose tokens they verify."""

import asyncio
import base64
import hmac
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from signaling.auth.registry import Registry
from signaling.auth.tokens import Tokens
from signaling.errors import Refused
from signaling.http import certificate
from signaling.http.keysets import AGAIN_S, FRESH_S, MAX_BYTES, STALE_S, HttpKeySets
from tests.signaling.auth.conftest import NOW_S, Clock

PRIVATE: dict[str, Any] = {
    "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


def public(algorithm: str, kid: str) -> dict[str, Any]:
    made = get_default_algorithms()[algorithm].to_jwk(PRIVATE[algorithm].public_key())
    return {**json.loads(made), "kid": kid}


def signed(algorithm: str, kid: str, app: str = "acme") -> str:
    claims = {"iss": app, "sub": "ann", "iat": NOW_S, "exp": NOW_S + 60}
    return jwt.encode(claims, PRIVATE[algorithm], algorithm=algorithm, headers={"kid": kid})


def by_hand(claims: dict[str, Any], secret: bytes) -> str:
    """HS256 over what is public: PyJWT would not sign with it."""
    parts = [json.dumps({"alg": "HS256", "kid": "one"}).encode(), json.dumps(claims).encode()]
    text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    mac = hmac.digest(secret, text, "sha256")
    return (text + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


class Publisher:
    """An https server with a key set."""

    def __init__(self) -> None:
        self.body = b'{"keys": []}'
        self.status = 200
        self.asked = 0
        self.url = ""

    def publish(self, *keys: dict[str, Any]) -> None:
        self.body = json.dumps({"keys": keys}).encode()

    async def get(self, request: web.Request) -> web.Response:
        self.asked += 1
        headers = {"Location": "/elsewhere"} if self.status == 302 else {}
        return web.Response(body=self.body, status=self.status, headers=headers)


@pytest.fixture
async def publisher(tmp_path: Path) -> AsyncIterator[Publisher]:
    made = Publisher()
    pair = await asyncio.to_thread(certificate.self_signed, tmp_path)
    app = web.Application()
    app.add_routes([web.get("/{path:.*}", made.get)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certificate.context(*pair))
    await site.start()
    made.url = f"https://127.0.0.1:{runner.addresses[0][1]}/jwks.json"
    yield made
    await runner.cleanup()


@pytest.fixture
async def sets(
    publisher: Publisher, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[HttpKeySets]:
    monkeypatch.setattr("signaling.http.keysets.TIMEOUT_S", 100.0)
    trust = ssl.create_default_context(cafile=tmp_path / "tls-self.crt")
    async with HttpKeySets(allow_private=True, tls=trust, clock_s=clock) as made:
        yield made


@pytest.fixture
async def tokens(
    registry: Registry, sets: HttpKeySets, clock: Clock, publisher: Publisher
) -> Tokens:
    await registry.create_app("Acme", "acme", {"jwks_url": publisher.url})
    return Tokens(registry, clock_s=clock, key_sets=sets)


@pytest.mark.parametrize("algorithm", PRIVATE)
async def test_tokens_of_a_published_key(
    tokens: Tokens, publisher: Publisher, algorithm: str
) -> None:
    other = {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA", "alg": "ES384", "kid": "other"}
    publisher.publish(other, public(algorithm, "one"))
    for _ in range(3):
        assert (await tokens.verify(signed(algorithm, "one"))).user == "ann"
    assert publisher.asked == 1
    confused = by_hand({"iss": "acme", "sub": "ann", "exp": NOW_S + 60}, publisher.body)
    with pytest.raises(Refused, match="unknown or revoked key"):
        await tokens.verify(confused)


async def test_a_new_key_is_found_without_waiting(
    tokens: Tokens, publisher: Publisher, clock: Clock
) -> None:
    publisher.publish(public("ES256", "old"))
    await tokens.verify(signed("ES256", "old"))
    clock.now_s += AGAIN_S + 1
    publisher.publish(public("ES256", "old"), public("EdDSA", "new"))
    await tokens.verify(signed("EdDSA", "new"))
    assert publisher.asked == 2
    for name in ("none", "of", "these"):  # what tokens name does not make us ask and ask
        with pytest.raises(Refused):
            await tokens.verify(signed("EdDSA", name))
    assert publisher.asked == 2


async def test_a_set_outlives_its_server_for_an_hour(
    sets: HttpKeySets, publisher: Publisher, clock: Clock
) -> None:
    publisher.publish(public("ES256", "one"))
    await sets.get(publisher.url, "one")
    publisher.status = 500
    clock.now_s += FRESH_S + 1
    assert await sets.get(publisher.url, "one")
    assert publisher.asked == 2
    clock.now_s += STALE_S
    with pytest.raises(Refused) as refused:
        await sets.get(publisher.url, "one")
    assert (refused.value.code, refused.value.retryable) == ("unavailable", True)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (302, b'{"keys": []}'),
        (404, b'{"keys": []}'),
        (200, b"{"),
        (200, b"[]"),
        (200, b'{"keys": 1}'),
        (200, b"[" * 100_000),
        (200, b'{"keys": [], "more": "' + b"x" * MAX_BYTES + b'"}'),
    ],
)
async def test_what_is_no_key_set_is_none(
    sets: HttpKeySets, publisher: Publisher, status: int, body: bytes
) -> None:
    publisher.status, publisher.body = status, body
    with pytest.raises(Refused) as refused:
        await sets.get(publisher.url, None)
    assert refused.value.code == "unavailable"


async def test_private_networks_are_not_asked(publisher: Publisher) -> None:
    async with HttpKeySets() as sets:
        for host in ("127.0.0.1", "localhost", "[::1]", "169.254.169.254"):
            url = publisher.url.replace("127.0.0.1", host)
            with pytest.raises(Refused):
                await sets.get(url, None)
    assert publisher.asked == 0


@pytest.mark.parametrize(
    "url", ["http://example.com/jwks", "https://", "https://u:p@example.com/", "ftp://x", 7, ""]
)
async def test_settings_take_https_only(registry: Registry, url: Any) -> None:
    with pytest.raises(Refused) as refused:
        await registry.create_app("Acme", "acme", {"jwks_url": url})
    assert refused.value.code == "bad_request"

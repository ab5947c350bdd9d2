"""Callers of REST in tests: an app's server with a key, a user with a token."""

from typing import Any

from aiohttp import ClientSession, encode_basic_auth

from signaling.app import Process

ALL = ("admin", "read", "tokens", "write")


class Caller:
    """`await caller("GET", "/v1/app")` gives (status, body); `headers` are of the last answer."""

    def __init__(self, client: ClientSession, authorization: str) -> None:
        self._client = client
        self._headers = {"Authorization": authorization} if authorization else {}
        self.headers: Any = {}

    async def __call__(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._client.request(
            method, path, json=body, headers={**self._headers, **given}
        ) as answer:
            self.headers = answer.headers
            return answer.status, await answer.json(content_type=None)


async def server_of(
    process: Process, client: ClientSession, app: str, scopes: tuple[str, ...] = ALL
) -> Caller:
    """A caller with a new key of an app, which is made when there is none."""
    if app not in {known.id for known in await process.registry.apps()}:
        await process.registry.create_app(app.title(), app)
    issued = await process.registry.create_key(app, "test", scopes)
    return Caller(client, encode_basic_auth(issued.key.id, issued.secret))


async def token_of(server: Caller, user: str, **claims: Any) -> str:
    """A user's token from the app's server."""
    status, minted = await server("POST", "/v1/tokens", {"user": user, **claims})
    assert status == 201, minted
    return str(minted["token"])


async def user_of(client: ClientSession, server: Caller, user: str) -> Caller:
    """A caller with a user's token."""
    return Caller(client, f"Bearer {await token_of(server, user)}")

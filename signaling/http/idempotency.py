"""`Idempotency-Key` on every POST below /v1: the same key gets the first answer again."""

import re

from aiohttp import web
from aiohttp.typedefs import Handler

from signaling.auth.repeats import MAX_KEY_CHARS, Answered, Repeats, digest, name_of
from signaling.errors import Refused
from signaling.http.bodies import read_whole
from signaling.http.callers import Callers

HEADER = "Idempotency-Key"
KEY = re.compile(f"[!-~]{{1,{MAX_KEY_CHARS}}}")
PATHS = "/v1/"
NOT_KEPT = frozenset({401, 408, 409, 415, 429})
"""Nothing was done: the same request may do better the next time."""


class Idempotency:
    """Inside of what turns refusals into answers: a refusal is dropped, an answer is kept."""

    def __init__(self, repeats: Repeats, callers: Callers) -> None:
        # passed in
        self._repeats = repeats
        self._callers = callers

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """One request."""
        key = request.headers.get(HEADER)
        if key is None or request.method != "POST" or not request.path.startswith(PATHS):
            return await handler(request)
        if not KEY.fullmatch(key):
            raise Refused(
                "bad_request", f"{HEADER} has 1 to {MAX_KEY_CHARS} characters from ! to ~"
            )
        caller = await self._callers.any(request)
        name = name_of(caller.app, caller.name, key)
        body = await read_whole(request)
        fingerprint = digest(request.method.encode(), request.raw_path.encode(), body)
        answered = await self._repeats.begin(name, fingerprint)
        if answered is not None:
            return _again(answered)
        return await self._first(request, handler, name)

    async def _first(self, request: web.Request, handler: Handler, name: str) -> web.StreamResponse:
        try:
            response = await handler(request)
        except BaseException:
            await self._repeats.drop(name)
            raise
        answered = _kept(response)
        if answered is None:
            await self._repeats.drop(name)
        else:
            await self._repeats.finish(name, answered)
        return response


def _kept(response: web.StreamResponse) -> Answered | None:
    if not isinstance(response, web.Response) or response.status in NOT_KEPT:
        return None
    if response.status >= 500 or not isinstance(response.body, bytes):
        return None
    return Answered(status=response.status, content_type=response.content_type, body=response.body)


def _again(answered: Answered) -> web.Response:
    return web.Response(
        status=answered.status,
        body=answered.body,
        content_type=answered.content_type,
        headers={"Idempotent-Replayed": "true", "Cache-Control": "no-store"},
    )

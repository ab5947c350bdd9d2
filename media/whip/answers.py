"""What every response has in common: cross-origin headers, and refusals as problem details."""

import json
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from media.errors import MediaError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

STATUS: Final = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "too_large": 413,
    "unsupported": 422,
    "rate_limited": 429,
    "quota_exceeded": 503,
    "unavailable": 503,
    "timeout": 504,
}
"""MediaError codes as HTTP status."""
RETRY_AFTER_S: Final = 5
_CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, ETag, Link, Accept-Patch",
}
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "POST, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "86400",
}


def problem(error: MediaError) -> web.Response:
    """A refusal (RFC 9457)."""
    status = STATUS.get(error.code, 500)
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    elif status in {429, 503}:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    body = {"title": error.message, "status": status, "code": error.code}
    return web.Response(
        status=status,
        text=json.dumps(body),
        content_type="application/problem+json",
        headers=headers,
    )


def answering(handler: Handler) -> Handler:
    """`handler` with refusals answered and every origin allowed: the token is what protects."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            response = await handler(request)
        except MediaError as error:
            response = problem(error)
        except web.HTTPException as error:
            error.headers.update(_CORS)
            raise
        response.headers.update(_CORS)
        return response

    return answer


async def preflight(_: web.Request) -> web.Response:
    """OPTIONS, also the browsers' question before a POST (RFC 9725 section 4.2)."""
    accept = {"Accept-Post": "application/sdp", "Accept-Patch": "application/trickle-ice-sdpfrag"}
    return web.Response(status=204, headers=_PREFLIGHT | accept)

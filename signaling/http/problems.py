"""Errors as RFC 9457 problem details: every refusal on every path has one shape."""

import json
import logging
import secrets

from aiohttp import web
from aiohttp.typedefs import Handler

from signaling.errors import Code, Refused

log = logging.getLogger(__name__)

STATUS: dict[Code, int] = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "too_large": 413,
    "unsupported": 415,
    "rate_limited": 429,
    "quota_exceeded": 402,
    "internal": 500,
    "unavailable": 503,
    "timeout": 504,
}
CODE_OF: dict[int, Code] = {
    **{status: code for code, status in STATUS.items()},
    405: "unsupported",
    408: "timeout",
    416: "bad_request",
    422: "bad_request",
}


def response(refused: Refused, status: int | None = None) -> web.Response:
    """`{type, title, status, detail, code, retryable, retry_after_ms?}` (RFC 9457, section 3)."""
    status = status or STATUS[refused.code]
    body = {
        "type": f"/docs/errors#{refused.code}",
        "title": refused.code.replace("_", " "),
        "status": status,
        "detail": refused.message,
        **refused.to_wire(),
    }
    headers = {}
    if refused.retry_after_ms is not None:
        headers["Retry-After"] = str(-(-refused.retry_after_ms // 1000))
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="tokenim", Basic realm="tokenim"'
    return web.Response(
        status=status,
        text=json.dumps(body),
        content_type="application/problem+json",
        headers=headers,
    )


@web.middleware
async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns what escapes a handler into a problem; our own bugs are logged once, with a number."""
    try:
        return await handler(request)
    except Refused as refused:
        return response(refused)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        problem = response(_of_http(error), error.status)
        if "Allow" in error.headers:
            problem.headers["Allow"] = error.headers["Allow"]
        return problem
    except ConnectionResetError:
        raise
    except Exception:
        number = secrets.token_hex(4)
        log.exception("bug %s in %s %s", number, request.method, request.path)
        return response(Refused("internal", f"our mistake, noted as {number}"))


def _of_http(error: web.HTTPException) -> Refused:
    code = CODE_OF.get(error.status, "internal" if error.status >= 500 else "bad_request")
    return Refused(code, error.reason, retryable=error.status in (408, 429, 503))

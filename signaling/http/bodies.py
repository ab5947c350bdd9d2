"""Request bodies as typed structs."""

import asyncio
from collections.abc import Container
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from signaling.errors import Refused
from signaling.integers import check_integers

T = TypeVar("T")

JSON = "application/json"
BODY_TIMEOUT_S = 20.0
"""For a body of at most `http.max_body_bytes`; files come in pieces with time for each."""


async def read_whole(request: web.Request) -> bytes:
    """The body. Raises Refused timeout, web.HTTPRequestEntityTooLarge."""
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except TimeoutError:
        raise Refused("timeout", "the body did not come in time") from None


async def read_struct(request: web.Request, kind: type[T], only: Container[str] | None = None) -> T:
    """The JSON body as `kind`; an empty body is `{}`, and fields beside those of the struct, or
    `only` these, are passed over whatever they are. Raises Refused bad_request, timeout,
    unsupported for a body that says it is something else.
    """
    body = await read_whole(request)
    if body and "Content-Type" in request.headers and not _is_json(request.content_type):
        raise Refused("unsupported", f"send {JSON}, not {request.content_type[:100]}")
    try:
        value = _whole(_known(msgspec.json.decode(body or b"{}"), kind, only))
        check_integers(value)
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise Refused("bad_request", str(error)) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Refused("bad_request", "the body is not JSON") from error


def _known(value: Any, kind: type[Any], only: Container[str] | None) -> Any:
    only = getattr(kind, "__struct_encode_fields__", only)
    if only is None or not isinstance(value, dict):
        return value
    return {name: field for name, field in value.items() if name in only}


def _whole(value: Any) -> Any:
    """JSON has one kind of number: a field may write 1 as 1.0 (JSON Schema, 6.1.1)."""
    if not isinstance(value, dict):
        return value
    return {
        name: int(field) if isinstance(field, float) and field.is_integer() else field
        for name, field in value.items()
    }


def _is_json(content_type: str) -> bool:
    return content_type == JSON or content_type.endswith("+json")

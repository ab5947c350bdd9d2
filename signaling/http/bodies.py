"""Request bodies as typed structs."""

from typing import TypeVar

import msgspec
from aiohttp import web

from signaling.errors import Refused

T = TypeVar("T")


async def read_struct(request: web.Request, kind: type[T]) -> T:
    """The JSON body as `kind`; an empty body is `{}`. Raises Refused bad_request, too_large."""
    body = await request.read()
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise Refused("bad_request", str(error)) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Refused("bad_request", "the body is not JSON") from error

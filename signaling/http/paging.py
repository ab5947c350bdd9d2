"""Pages of lists: `?cursor=` and `?limit=` in, `next` out."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from aiohttp import web

from signaling.errors import Refused

PAGE, PAGE_MAX = 50, 200
T = TypeVar("T")


def no_such_page() -> Refused:
    """For a cursor that nobody gave out, or whose row is gone."""
    return Refused(
        "not_found", "no such page: `cursor` is the `next` of the page before; or begin anew"
    )


def limit_of(request: web.Request) -> int:
    """How many the caller wants. Raises Refused bad_request."""
    text = request.query.get("limit")
    if text is None:
        return PAGE
    if not text.isascii() or not text.isdigit() or len(text) > 4 or not 1 <= int(text) <= PAGE_MAX:
        raise Refused("bad_request", f"limit is a number from 1 to {PAGE_MAX}")
    return int(text)


def cursor_of(request: web.Request) -> str | None:
    """Where the caller was, as our `sealed` wrote it. Raises Refused not_found."""
    text = request.query.get("cursor")
    return None if text is None else opened(text)


def sealed(place: str) -> str:
    """A place as a cursor: opaque, so that nobody builds one."""
    return base64.urlsafe_b64encode(place.encode()).rstrip(b"=").decode()


def opened(cursor: str) -> str:
    """The place of a cursor. Raises Refused not_found."""
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        place = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise no_such_page() from error
    if sealed(place) != cursor or "\0" in place:
        raise no_such_page()
    return place


def number_of(request: web.Request) -> int | None:
    """The cursor of a list ordered by a number. Raises Refused not_found."""
    place = cursor_of(request)
    if place is None:
        return None
    if not place.isascii() or not place.isdigit() or len(place) > 18:
        raise no_such_page()
    return int(place)


def page(found: Sequence[T], limit: int, place: Callable[[T], Any]) -> tuple[list[T], str | None]:
    """(the page, its `next`) of up to `limit + 1` rows."""
    kept = list(found[:limit])
    return kept, sealed(str(place(kept[-1]))) if len(found) > limit else None


def slice_of(
    request: web.Request, rows: Sequence[T], place: Callable[[T], str]
) -> tuple[list[T], str | None]:
    """A page of a list that is whole in memory: what follows the row at the cursor."""
    limit, cursor = limit_of(request), cursor_of(request)
    start = 0
    if cursor is not None:
        places = [place(row) for row in rows]
        if cursor not in places:
            raise no_such_page()
        start = places.index(cursor) + 1
    return page(rows[start : start + limit + 1], limit, place)

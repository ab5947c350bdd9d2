"""REST under /v1: the wire's requests, one path each."""

from typing import Any

import msgspec
from aiohttp import web

from signaling.dispatch import Handler, Table, dispatch
from signaling.errors import Refused
from signaling.http import paging
from signaling.http.bodies import read_struct
from signaling.http.callers import Callers
from signaling.protocol.rest import OPERATIONS, Operation

PREFIX = "/v1"
DIRECTIONS = ("before", "after")


class Rest:
    """Answers every Operation whose request this node knows."""

    def __init__(self, table: Table, callers: Callers) -> None:
        # passed in
        self._table = table
        self._callers = callers

    def routes(self) -> list[web.RouteDef]:
        """One per Operation."""
        return [
            web.route(operation.method, PREFIX + operation.path, self._answering(operation))
            for operation in OPERATIONS
            if operation.event in self._table
        ]

    def _answering(self, operation: Operation) -> Any:
        handler = self._table[operation.event]

        async def answer(request: web.Request) -> web.Response:
            who = await self._callers.acting(request, app=operation.app)
            payload = await _payload(request, operation, handler)
            try:
                body = await dispatch(self._table, who, operation.event, payload)
            except Refused as refused:
                if refused.code == "bad_request" and "cursor" in request.query:
                    raise paging.no_such_page() from refused  # the rest was checked before
                raise
            if operation.pages:
                body = _paged(request, operation, payload, body)
            return web.json_response(
                text=msgspec.json.encode(body).decode(), status=operation.status
            )

        return answer


async def _payload(request: web.Request, operation: Operation, handler: Handler) -> dict[str, Any]:
    """Body, then query, then path: what the path names cannot be said otherwise."""
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(handler.request)}
    payload: dict[str, Any] = {}
    if request.body_exists:
        payload = await read_struct(request, dict[str, Any], fields)
    for name, text in [*request.query.items(), *request.match_info.items()]:
        if name in fields:
            payload[name] = _typed(name, text, fields[name])
    payload |= dict(operation.fixed)
    payload |= _place(request, operation)
    key = request.headers.get("Idempotency-Key")
    if key and "client_id" in fields:
        payload.setdefault("client_id", key)
    return payload


def _place(request: web.Request, operation: Operation) -> dict[str, Any]:
    """What `?cursor=` says in the request's own words. Raises Refused bad_request."""
    cursor = request.query.get("cursor")
    if cursor is None or operation.place:
        return {}
    place = paging.opened(cursor)
    if operation.pages != "events":
        return {operation.pages: place}
    direction, _, seq = place.partition(":")
    if direction not in DIRECTIONS or not seq.isdigit() or len(seq) > 16:
        raise paging.no_such_page()
    return {direction: int(seq)}


def _paged(
    request: web.Request, operation: Operation, payload: dict[str, Any], body: dict[str, Any]
) -> dict[str, Any]:
    """The answer with `next` as a cursor."""
    if operation.place:
        rows, following = paging.slice_of(
            request, body[operation.pages], lambda row: str(row[operation.place])
        )
        return {**body, operation.pages: rows, "next": following}
    if operation.pages == "events":
        return {**body, "next": _next_events(payload, body)}
    following = body.get("next")
    return {**body, "next": None if following is None else paging.sealed(str(following))}


def _next_events(payload: dict[str, Any], body: dict[str, Any]) -> str | None:
    events = body["events"]
    if not events or len(events) < payload.get("limit", 50):
        return None
    if payload.get("after") is not None:
        last = events[-1]["seq"]
        return paging.sealed(f"after:{last}") if last < body["head"] else None
    first = events[0]["seq"]
    return paging.sealed(f"before:{first}") if first > 1 else None


def _typed(name: str, text: str, kind: Any) -> Any:
    """A text of path or query as its field's type. Raises Refused bad_request, not_found."""
    if "\0" in text:
        raise Refused("not_found", f"nothing has a zero byte in its `{name}`")
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Refused("bad_request", f"{error} - at `$.{name}`") from error

"""REST under /v1: the wire's requests, one path each."""

from typing import Any

import msgspec
from aiohttp import web

from signaling.dispatch import Handler, Table, dispatch
from signaling.errors import Refused
from signaling.http.bodies import read_struct
from signaling.http.callers import Callers
from signaling.protocol.rest import OPERATIONS, Operation

PREFIX = "/v1"


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
            who = await self._callers.acting(request)
            payload = await _payload(request, operation, handler)
            body = await dispatch(self._table, who, operation.event, payload)
            return web.json_response(
                text=msgspec.json.encode(body).decode(), status=operation.status
            )

        return answer


async def _payload(request: web.Request, operation: Operation, handler: Handler) -> dict[str, Any]:
    """Body, then query, then path: what the path names cannot be said otherwise."""
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(handler.request)}
    payload: dict[str, Any] = {}
    if request.can_read_body:
        payload = await read_struct(request, dict[str, Any])
    for name, text in [*request.query.items(), *request.match_info.items()]:
        if name in fields:
            payload[name] = _typed(name, text, fields[name])
    payload |= dict(operation.fixed)
    key = request.headers.get("Idempotency-Key")
    if key and "client_id" in fields:
        payload.setdefault("client_id", key)
    return payload


def _typed(name: str, text: str, kind: Any) -> Any:
    """A text of path or query as its field's type. Raises Refused bad_request."""
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Refused("bad_request", f"{error} - at `$.{name}`") from error

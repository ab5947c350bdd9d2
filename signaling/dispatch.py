"""Which service answers which request: the one table of the wire's requests."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from signaling.errors import Refused
from signaling.integers import check_integers
from signaling.model import Identity


@dataclass(frozen=True, slots=True)
class Handler:
    """A request's payload and who answers it."""

    request: type[msgspec.Struct]
    answer: Callable[[Identity, Any], Awaitable[Any]]
    """Gives the ack's fields as a dict or Struct; raises Refused."""


Table = Mapping[str, Handler]


async def dispatch(table: Table, who: Identity, event: str, payload: Any) -> dict[str, Any]:
    """Check the payload against its struct and ask the service. Raises Refused."""
    handler = table.get(event)
    if handler is None:
        raise Refused("unsupported", f"no request is called {event[:64]!r}")
    check_integers(payload)
    try:
        request = msgspec.convert({} if payload is None else payload, handler.request)
    except msgspec.ValidationError as error:
        raise Refused("bad_request", str(error)) from None
    answer = await handler.answer(who, request)
    if isinstance(answer, dict):
        return answer
    fields: dict[str, Any] = msgspec.to_builtins(answer)
    return fields

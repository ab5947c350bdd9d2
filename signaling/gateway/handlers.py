"""Which method carries out which event, and the way of a payload into its struct."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from signaling.errors import Refused
from signaling.model import Identity

RequestT = TypeVar("RequestT")


@dataclass(frozen=True, slots=True)
class Handler(Generic[RequestT]):
    """One event: the struct of its payload, and the service method `(who, request) -> result`.

    The result is a dict or a struct; it becomes the ack's fields beside `ok`.
    """

    struct: type[RequestT]
    method: Callable[[Identity, RequestT], Awaitable[Any]]


class Handlers:
    """The table of a node. Raises Refused; everything else that escapes is a service's bug."""

    def __init__(self, table: Mapping[str, Handler[Any]]) -> None:
        self._table = dict(table)

    def __contains__(self, event: object) -> bool:
        return event in self._table

    async def request(self, who: Identity, event: str, payload: Any) -> dict[str, Any]:
        """Convert, carry out, and give the ack's fields. Refused: unsupported, bad_request, ..."""
        handler = self._table.get(event)
        if handler is None:
            raise Refused("unsupported", f"no such event: {event[:64]}")
        try:
            request = msgspec.convert(payload, handler.struct)
        except msgspec.ValidationError as error:
            raise Refused("bad_request", str(error)) from None
        result = await handler.method(who, request)
        return _fields(result)


def _fields(result: Any) -> dict[str, Any]:
    if isinstance(result, dict):
        return result
    if result is None:
        return {}
    fields = msgspec.to_builtins(result)
    if not isinstance(fields, dict):
        raise TypeError("a handler's result must have fields")
    return fields

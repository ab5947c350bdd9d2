"""The live sockets, and what their gateway asks."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import msgspec

from signaling.model import Identity


class Connections(Protocol):
    """The live sockets of this node."""

    def emit(
        self,
        connections: Iterable[str],
        event: str,
        data: Mapping[str, Any],
        *,
        volatile: bool = False,
        latest: str | None = None,
    ) -> None:
        """Queue for each, encoded once. Unknown ids are passed over. Volatile ones are dropped
        first when a queue fills; of those with the same `latest` the newest is sent afterwards.
        """

    def close(self, connection: str, reason: str) -> None:
        """End one socket; `reason` is a stable word."""


class Remote(msgspec.Struct, frozen=True, kw_only=True):
    """Where a Connection comes from."""

    connection: str
    address: str
    origin: str | None = None
    user_agent: str | None = None


class Hooks(Protocol):
    """What the gateway asks of the node."""

    async def authenticate(self, auth: Mapping[str, Any], remote: Remote) -> Identity:
        """Raises Refused; it becomes `connect_error` with `{code, message}`."""

    async def opened(self, who: Identity, cursor: str | None) -> dict[str, Any]:
        """The payload of `session:ready`. The Connection counts as open from the call on."""

    async def request(self, who: Identity, event: str, payload: Any) -> dict[str, Any]:
        """The ack's fields without `ok`. Raises Refused."""

    async def closed(self, who: Identity, reason: str) -> None:
        """Once for every Identity that `authenticate` gave, `opened` or not."""

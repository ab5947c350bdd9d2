"""Which nodes live."""

from collections.abc import Mapping
from typing import Protocol


class NodeRegistry(Protocol):
    """Which nodes live, and which one holds a room. A claim is exclusive while its node keeps it
    alive.
    """

    async def announce(self, node: str, info: Mapping[str, str]) -> None:
        """This node is alive for another period (10 s)."""

    async def nodes(self) -> dict[str, dict[str, str]]: ...

    async def claim(self, room: str, node: str) -> str:
        """The node that holds the room: this one if nobody living did.

        A claim lasts a period (10 s); its holder claims again before that to keep it.
        """

    async def release(self, room: str, node: str) -> None: ...

    async def withdraw(self, node: str) -> None:
        """The node leaves: its announcement and claims go."""

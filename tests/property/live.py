"""A node with sockets that only write down what they are told, and a broker that may lose hints."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from signaling.adapters.memory_broker import MemoryBroker
from signaling.adapters.memory_registry import MemoryRegistry
from signaling.auth.tokens import Claims
from signaling.node import Node
from signaling.ports import Hint
from tests.house import House
from tests.making import identity
from tests.property.talks import Person

BUSY = ("listen", "unlisten", "fill")


class Leaky(MemoryBroker):
    """Loses hints while it is told to."""

    def __init__(self) -> None:
        super().__init__("one")
        self.loses = False

    async def publish(self, topic: str, hint: Hint) -> None:
        """Unless it is lost."""
        if not self.loses:
            await super().publish(topic, hint)


class Live:
    """One node over the house; `connections` are those open now."""

    def __init__(self, house: House, broker: Leaky) -> None:
        self.told: list[tuple[str, str, Mapping[str, Any]]] = []
        self.connections: dict[str, Person] = {}
        self._count = 0
        self.node = Node(
            name="one",
            broker=broker,
            registry=MemoryRegistry(),
            connections=self,
            log=house.log,
            members=house.conversations,
            users=house.users,
            sync=house.messaging.history,
            verify=_nobody,
            clock=lambda: house.now,
        )

    def emit(
        self,
        connections: Iterable[str],
        event: str,
        data: Mapping[str, Any],
        *,
        volatile: bool = False,
        latest: str | None = None,
    ) -> None:
        """See ports.Connections."""
        self.told += [(connection, event, data) for connection in connections]

    def close(self, connection: str, reason: str) -> None:
        """See ports.Connections."""
        raise AssertionError(f"{connection} was closed: {reason}")

    async def connect(self, person: Person, cursor: str | None) -> tuple[str, dict[str, Any]]:
        """A new device: its connection, and its `session:ready`."""
        self._count += 1
        app, user = person
        name = f"{app}/{user}/{self._count}"
        self.connections[name] = person
        who = replace(identity(user, app=app, device=str(self._count)), connection=name)
        ready = await self.node.opened(who, cursor)
        await self.settled()
        return name, ready

    async def disconnect(self, connection: str) -> None:
        """The socket is gone."""
        del self.connections[connection]
        who = self.node.sessions.get(connection)
        assert who is not None
        await self.node.closed(who, "bye")

    async def settled(self) -> None:
        """Everything published was told, and every gap that showed is filled."""
        while True:
            await asyncio.sleep(0)
            busy = [t for t in asyncio.all_tasks() if t.get_name().split()[0] in BUSY]
            if not busy:
                return
            await asyncio.gather(*busy)

    async def swept(self) -> None:
        """What was lost is found."""
        for _ in range(2):
            await self.node.tail.sweep()
            await self.settled()


async def _nobody(token: str) -> Claims:
    raise AssertionError("nobody connects with a token here")

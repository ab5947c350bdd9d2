"""Ends calls that nobody would: their node died, or the Device that was in them is gone."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from signaling.errors import Refused
from signaling.ports import Clock, LiveCall, LiveCalls, NodeRegistry
from signaling.services.call_ends import CallEnds
from signaling.services.call_host import CallHost
from signaling.services.call_state import Call
from signaling.tasks import Tasks

log = logging.getLogger(__name__)

ROUND_S = 3.0
ABSENT_ROUNDS = 4
"""A Device without a Connection for so many rounds has hung up."""
SILENT_MS = 20_000
"""A node that has not said for so long that its calls go on, and is not announced, is dead."""


class Present(Protocol):
    """See ports.PresenceManager."""

    async def devices(self, app: str, users: Sequence[str]) -> dict[str, set[str]]:
        """The devices with a Connection of each."""


class CallKeeper:
    """Looks at the calls of this node, and at those of dead ones."""

    def __init__(
        self,
        *,
        node: str,
        host: CallHost,
        ends: CallEnds,
        store: LiveCalls,
        registry: NodeRegistry,
        presence: Present,
        clock: Clock,
        tasks: Tasks,
        alone: bool,
        round_s: float = ROUND_S,
    ) -> None:
        # passed in
        self._node = node
        self._host = host
        self._ends = ends
        self._store = store
        self._registry = registry
        self._presence = presence
        self._clock = clock
        self._tasks = tasks
        self._alone = alone
        self._round_s = round_s
        # made here
        self._absent: dict[tuple[str, str, str], int] = {}
        """Rounds by (call, user, device) that is in it and not here."""
        self.settled_total = 0

    async def start(self) -> None:
        """End what an earlier life left, before anybody comes in; then look again and again."""
        await self._round(self._settle)
        self._tasks.every(self._round_s, self.round, "keep calls")

    async def round(self) -> None:
        """All of it."""
        await self._round(self._touch, self._settle, self._hang_up)

    async def _round(self, *parts: Callable[[], Awaitable[None]]) -> None:
        """What cannot be done now, because a database or Redis is away, the next round does."""
        for part in parts:
            try:
                await part()
            except Refused as error:
                log.warning("calls are not looked after: %s", error.message)

    async def _touch(self) -> None:
        if self._host.calls:
            await self._store.touch(self._node, self._clock())

    # calls nobody holds

    async def _settle(self) -> None:
        held = list(self._host.calls.values())
        silent = self._clock() - (0 if self._alone else SILENT_MS)
        kept = await self._store.unattended(self._node, silent)
        mine = {row.id for row in kept if row.node == self._node}
        for call in held:
            if call.id not in mine:
                self._host.forget(call)
        lost = [row for row in kept if row.id not in self._host.minding]
        for row in await self._of_the_dead(lost):
            await self._bury(row)

    async def _of_the_dead(self, rows: list[LiveCall]) -> list[LiveCall]:
        if all(row.node == self._node for row in rows):
            return rows
        living = (await self._registry.nodes()).keys() - {self._node}
        return [row for row in rows if row.node not in living]

    async def _bury(self, row: LiveCall) -> None:
        """It lasted for as long as its node said so. Where somebody else has ended it, perhaps this
        node a moment ago, nothing is said.
        """
        call = Call.of(row)
        call.stop(row.seen_at)
        try:
            mine = await self._ends.write(call)
        except Refused as error:
            if error.retryable:
                raise
            log.warning("the end of %s has no place: %s", call.id, error.message)
            await self._store.remove(call.id)
            mine = True
        if mine:
            self.settled_total += 1
            await self._host.tell(call)

    # Devices that are gone

    async def _hang_up(self) -> None:
        seats = self._seats()
        apps = {app for app, _, _, _ in seats}
        here: dict[tuple[str, str], set[str]] = {}
        for app in apps:
            users = sorted({user for of, _, user, _ in seats if of == app})
            found = await self._presence.devices(app, users)
            here |= {(app, user): devices for user, devices in found.items()}
        gone = [seat for seat in seats if seat[3] not in here[seat[0], seat[2]]]
        rounds = {seat[1:]: self._absent.get(seat[1:], 0) + 1 for seat in gone}
        self._absent = rounds
        for app, call, user, device in gone:
            if rounds[call, user, device] >= ABSENT_ROUNDS:
                await self._leave(app, call, user, device)

    def _seats(self) -> list[tuple[str, str, str, str]]:
        """(app, call, user, device) of everyone who is in a call held here."""
        return [
            (call.app, call.id, party.user, party.device)
            for call in self._host.calls.values()
            for party in call.parties.values()
            if party.state == "accepted" and party.device is not None
        ]

    async def _leave(self, app: str, call: str, user: str, device: str) -> None:
        try:
            await self._host.hangup(app, call, user, device)
        except Refused as error:
            if error.retryable:
                raise
            log.info("%s of %s: %s", call, user, error.message)

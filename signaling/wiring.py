"""The services of one node, made in the order they need each other, and the table of requests."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from media import events as media
from signaling.dispatch import Handler
from signaling.model import Identity
from signaling.node import Node, Sync, Verify
from signaling.ports import (
    Broker,
    Clock,
    Connections,
    Conversations,
    LiveCalls,
    Log,
    NodeRegistry,
    PresenceManager,
    Users,
)
from signaling.protocol import calls as call_wire
from signaling.protocol import presence as presence_wire
from signaling.protocol import rooms as room_wire
from signaling.protocol.session import SessionRefresh
from signaling.services.call_ends import CallEnds
from signaling.services.call_host import CallHost
from signaling.services.call_keeper import CallKeeper
from signaling.services.calls import Calls
from signaling.services.live_rooms import LIVE_ROOMS, LiveRooms
from signaling.services.presence import PresenceService
from signaling.services.room_host import RoomHost
from signaling.services.room_outbox import RoomOutbox
from signaling.services.rooms import Rooms
from signaling.services.sfu import Sfu
from signaling.services.signals import Signals
from signaling.services.typing import TypingService
from signaling.shared_allowance import Pot
from signaling.tasks import Tasks


@dataclass(frozen=True, slots=True)
class Shared:
    """What nodes share; in one process, what stands for it."""

    broker: Broker
    presence: PresenceManager
    registry: NodeRegistry
    alone: bool
    """Memory: there is no other node."""
    pot: Pot | None = None
    """Rates of all nodes together; None for each node's own."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The database."""

    log: Log
    conversations: Conversations
    users: Users
    calls: LiveCalls


class Core:
    """A node with its presence, typing, rooms and calls; other families add lines to `table`."""

    def __init__(
        self,
        name: str,
        shared: Shared,
        stores: Stores,
        connections: Connections,
        sync: Sync,
        verify: Verify,
        clock: Clock,
        make_sfu: Callable[[Callable[[media.SfuEvent], None]], Sfu] | None,
        *,
        grace_s: float = 6.0,
        participants_max: int = 100,
        ring_s: float = 45.0,
    ) -> None:
        self._tasks = tasks = Tasks()
        broker = shared.broker
        self.node = node = Node(
            name=name,
            broker=broker,
            registry=shared.registry,
            connections=connections,
            log=stores.log,
            members=stores.conversations,
            users=stores.users,
            sync=sync,
            verify=verify,
            clock=clock,
        )
        fanout = node.fanout
        self.presence = PresenceService(shared.presence, broker, fanout, stores.users, clock, tasks)
        self.typing = TypingService(stores.conversations, broker, clock, tasks)
        self._wire_calls(shared, stores, clock, ring_s)
        self.signals = Signals(stores.conversations, stores.users, broker, clock)
        node.table = self._table()
        node.lifecycles = (self.presence, self.typing, self.signals)
        node.verbs = {"calls": self.calls.asked}
        node.on_gap.append(self.presence.recover)
        self.rooms: Rooms | None = None
        self.live_rooms: LiveRooms | None = None
        self._outbox = RoomOutbox(broker, tasks)
        if make_sfu is not None:
            self._wire_rooms(
                shared, stores, connections, make_sfu, clock, grace_s, participants_max
            )

    def _wire_calls(self, shared: Shared, stores: Stores, clock: Clock, ring_s: float) -> None:
        name, broker, tasks = self.node.name, shared.broker, self._tasks
        ends = CallEnds(stores.log, stores.calls, broker, clock)
        self.call_host = host = CallHost(
            name, ends, stores.calls, broker, clock, tasks, ring_s=ring_s
        )
        self.call_keeper = CallKeeper(
            node=name,
            host=host,
            ends=ends,
            store=stores.calls,
            registry=shared.registry,
            presence=shared.presence,
            clock=clock,
            tasks=tasks,
            alone=shared.alone,
        )
        self.calls = Calls(
            node=name,
            host=host,
            members=stores.conversations,
            blocks=stores.users,
            store=stores.calls,
            broker=broker,
        )

    def _wire_rooms(
        self,
        shared: Shared,
        stores: Stores,
        connections: Connections,
        make_sfu: Callable[[Callable[[media.SfuEvent], None]], Sfu],
        clock: Clock,
        grace_s: float,
        participants_max: int,
    ) -> None:
        node = self.node
        self.host = RoomHost(
            make_sfu(self._on_media),
            self._outbox,
            self._tasks,
            self._released,
            grace_s=grace_s,
            participants_max=participants_max,
        )
        self.rooms = rooms = Rooms(
            node=node.name,
            host=self.host,
            broker=shared.broker,
            registry=shared.registry,
            listening=node.fanout,
            connections=connections,
            members=stores.conversations,
            tasks=self._tasks,
            clock=clock,
        )
        node.table = {**node.table, **room_table(rooms)}
        node.lifecycles = (*node.lifecycles, rooms)
        node.verbs["rooms"] = rooms.asked
        self.live_rooms = LiveRooms(node.name, self.host, shared.broker, shared.registry)
        node.verbs[LIVE_ROOMS] = self.live_rooms.asked
        node.controls["seat:taken"] = rooms.seat_taken
        node.seen["participant:left"] = rooms.participant_left
        node.membership.on_left.append(rooms.left_conversation)
        node.on_gap.append(self.host.offer_again)

    def _on_media(self, event: media.SfuEvent) -> None:
        self.host.on_media(event)

    def _released(self, key: str) -> None:
        assert self.rooms is not None
        self.rooms.released(key)

    def _table(self) -> dict[str, Handler]:
        presence, typing, calls = self.presence, self.typing, self.calls
        return {
            "session:refresh": Handler(SessionRefresh, self._refresh),
            "presence:set": Handler(presence_wire.PresenceSet, presence.put),
            "presence:watch": Handler(presence_wire.PresenceWatch, presence.watch),
            "presence:unwatch": Handler(presence_wire.PresenceUnwatch, presence.unwatch),
            "typing:set": Handler(presence_wire.TypingSet, typing.put),
            "call:list": Handler(call_wire.ListCalls, calls.past),
            "call:invite": Handler(call_wire.CallInvite, calls.invite),
            "call:accept": Handler(call_wire.CallAct, calls.accept),
            "call:decline": Handler(call_wire.CallAct, calls.decline),
            "call:cancel": Handler(call_wire.CallAct, calls.cancel),
            "call:hangup": Handler(call_wire.CallAct, calls.hangup),
            "signal:send": Handler(call_wire.SignalSend, self.signals.send),
        }

    async def _refresh(self, who: Identity, request: SessionRefresh) -> dict[str, Any]:
        expires_at = await self.node.refresh(who, request.token)
        return {"expires_at": expires_at, "ice_servers": self.node.ice_servers(who)}

    def add(self, table: dict[str, Handler]) -> None:
        """More requests: `{event: Handler(struct, method)}`."""
        self.node.table = {**self.node.table, **table}

    def stats(self) -> dict[str, Callable[[], dict[str, float]]]:
        """Counters by part, for the metrics."""
        parts = {"node": self.node.stats, "calls": self._call_stats}
        return parts if self.rooms is None else {**parts, "rooms": self.rooms.stats}

    def _call_stats(self) -> dict[str, float]:
        settled = self.call_keeper.settled_total
        return {"held": len(self.call_host.calls), "settled_total": settled}

    async def start(self) -> None:
        """Begin to listen and tick."""
        await self.node.start()
        self._outbox.start()
        self.presence.start()
        self.typing.start()
        await self.call_keeper.start()
        if self.rooms is not None:
            self.rooms.start()

    async def close(self) -> None:
        """Tell the Rooms held here, end the calls, then stop. Sockets are closed before."""
        if self.rooms is not None:
            await self.rooms.drain()
        await self._outbox.flush()
        await self.call_host.close()
        await self._tasks.close()
        await self.node.close()


def room_table(rooms: Rooms) -> dict[str, Handler]:
    """The requests about Rooms and media."""
    return {
        "room:join": Handler(room_wire.RoomJoin, rooms.join),
        "room:leave": Handler(room_wire.RoomLeave, rooms.leave),
        "media:publish": Handler(room_wire.MediaPublish, rooms.publish),
        "media:answer": Handler(room_wire.MediaAnswer, rooms.answer),
        "media:candidate": Handler(room_wire.MediaCandidate, rooms.candidate),
        "media:restart": Handler(room_wire.MediaRestart, rooms.restart),
        "track:update": Handler(room_wire.TrackUpdate, rooms.update_track),
        "subscription:update": Handler(room_wire.SubscriptionUpdate, rooms.update_subscription),
        "participant:update": Handler(room_wire.ParticipantUpdate, rooms.update),
        "participant:remove": Handler(room_wire.ParticipantRemove, rooms.remove),
        "participant:mute": Handler(room_wire.ParticipantMute, rooms.mute),
    }

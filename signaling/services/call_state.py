"""A call as a state machine in a table. Pure; `now` is UTC milliseconds."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import msgspec

from signaling.errors import Refused
from signaling.ports import LiveCall

PartyState = Literal["ringing", "accepted", "declined", "busy", "missed", "left"]
Action = Literal["accept", "decline", "busy", "hangup"]

TRANSITIONS: dict[tuple[PartyState, Action], PartyState] = {
    ("ringing", "accept"): "accepted",
    ("ringing", "decline"): "declined",
    ("ringing", "busy"): "busy",
    ("accepted", "hangup"): "left",
    # a group's call goes on: who was not in it may come (again)
    ("declined", "accept"): "accepted",
    ("busy", "accept"): "accepted",
    ("missed", "accept"): "accepted",
    ("left", "accept"): "accepted",
}
"""(a party's state, what happens) -> its next state; anything else is a conflict."""


_SAME = (
    "id", "conversation", "media", "caller", "started_at", "answered_at", "ended_at",
)  # fmt: skip
"""Fields that the wire has under the same name."""


@dataclass(slots=True)
class Party:
    """One User in a call."""

    user: str
    state: PartyState
    device: str | None = None
    """The one that accepted."""

    def to_wire(self) -> dict[str, Any]:
        """`{user, state, device}`."""
        return {"user": self.user, "state": self.state, "device": self.device}


@dataclass(slots=True)
class Call:
    """One call of a Conversation, from the first ring to the end."""

    id: str
    app: str
    conversation: str
    media: str
    caller: str
    started_at: int
    parties: dict[str, Party] = field(default_factory=dict)
    answered_at: int | None = None
    ended_at: int | None = None
    cancelled: bool = False

    @property
    def state(self) -> Literal["ringing", "active", "ended"]:
        """Where the call as a whole is."""
        if self.ended_at is not None:
            return "ended"
        return "ringing" if self.answered_at is None else "active"

    @property
    def outcome(self) -> str | None:
        """How it ended: answered, cancelled, busy, declined or missed; None while it lasts."""
        if self.ended_at is None:
            return None
        if self.answered_at is not None:
            return "answered"
        if self.cancelled:
            return "cancelled"
        states = {party.state for user, party in self.parties.items() if user != self.caller}
        return next((word for word in ("busy", "declined") if word in states), "missed")

    @classmethod
    def of(cls, live: LiveCall) -> "Call":
        """As it was kept."""
        return msgspec.convert(live.data, cls)

    @classmethod
    def logged(cls, app: str, wire: dict[str, Any]) -> "Call":
        """As `call:ended` has it."""
        parties = msgspec.convert(wire["participants"], list[Party])
        return cls(
            app=app,
            parties={party.user: party for party in parties},
            cancelled=wire["outcome"] == "cancelled",
            **{name: wire[name] for name in _SAME},
        )

    def live(self, node: str, now: int) -> LiveCall:
        """To be kept."""
        return LiveCall(
            id=self.id,
            app=self.app,
            conversation=self.conversation,
            node=node,
            seen_at=now,
            ended=self.ended_at is not None,
            talking=tuple(self.talking()),
            data=msgspec.to_builtins(self),
        )

    def copy(self) -> "Call":
        """One to try a step on."""
        parties = {user: replace(party) for user, party in self.parties.items()}
        return replace(self, parties=parties)

    def ring(self, users: Iterable[str], busy: Collection[str], now: int) -> None:
        """Let all ring that are not busy; over at once when that is nobody."""
        for user in users:
            self.parties[user] = Party(user, "busy" if user in busy else "ringing")
        self._settle(now)

    def admit(self, user: str) -> None:
        """A member who came after the first ring may join, too."""
        self.parties.setdefault(user, Party(user, "missed"))

    def act(self, user: str, device: str | None, action: Action, now: int) -> bool:
        """Let `action` happen to a party; False when it had already. Raises Refused."""
        party = self.parties.get(user)
        if party is None:
            raise Refused("not_found", "no such call")
        if action == "accept" and party.state == "accepted":
            if party.device == device:
                return False
            raise Refused("conflict", "the call was accepted on another device")
        target = TRANSITIONS.get((party.state, action))
        if target is None or self.ended_at is not None:
            raise Refused("conflict", f"a party that is {party.state} cannot {action}")
        party.state = target
        if action == "accept":
            party.device = device
            self.answered_at = self.answered_at or now
        self._settle(now)
        return True

    def cancel(self, user: str, now: int) -> bool:
        """The caller gives up before anyone answered. Raises Refused."""
        if user != self.caller or self.state != "ringing":
            raise Refused("conflict", "only the caller cancels, and only while it rings")
        self.cancelled = True
        for name in self.ringing():
            self.parties[name].state = "missed"
        self.parties[user].state = "left"
        self.ended_at = now
        return True

    def hang_up(self, user: str, device: str | None, now: int) -> bool:
        """Leave; before an answer the caller cancels, the called decline. Raises Refused."""
        party = self.parties.get(user)
        if party is not None and party.state == "ringing":
            return self.act(user, device, "decline", now)
        if self.state == "ringing" and user == self.caller:
            return self.cancel(user, now)
        if party is not None and party.state == "accepted" and party.device != device:
            raise Refused("conflict", "the call goes on on another device")
        return self.act(user, device, "hangup", now)

    def give_up(self, now: int) -> bool:
        """Nobody more will answer; False when nobody was still ringing."""
        waiting = self.ringing()
        for name in waiting:
            self.parties[name].state = "missed"
        self._settle(now)
        return bool(waiting)

    def stop(self, now: int) -> bool:
        """Over as it is: nobody holds it any more. False when it had ended."""
        if self.ended_at is not None:
            return False
        for name in self.ringing():
            self.parties[name].state = "missed"
        self.ended_at = max(now, self.answered_at or self.started_at)
        return True

    def ringing(self) -> list[str]:
        """Users whose devices ring."""
        return [user for user, party in self.parties.items() if party.state == "ringing"]

    def talking(self) -> list[str]:
        """Users who are in it."""
        return [user for user, party in self.parties.items() if party.state == "accepted"]

    def _settle(self, now: int) -> None:
        """Over when nobody rings and fewer than two are left, or the caller left unanswered."""
        alone = len(self.talking()) < 2
        gone = self.answered_at is None and self.parties[self.caller].state != "accepted"
        if self.ended_at is None and ((alone and not self.ringing()) or gone):
            self.ended_at = now
            for name in self.ringing():
                self.parties[name].state = "missed"

    def to_wire(self) -> dict[str, Any]:
        """The `call` of acks and events."""
        duration = 0
        if self.ended_at is not None and self.answered_at is not None:
            duration = self.ended_at - self.answered_at
        return {
            "id": self.id,
            "conversation": self.conversation,
            "room": self.conversation,
            "media": self.media,
            "caller": self.caller,
            "state": self.state,
            "started_at": self.started_at,
            "answered_at": self.answered_at,
            "ended_at": self.ended_at,
            "outcome": self.outcome,
            "duration_ms": duration,
            "participants": [party.to_wire() for party in self.parties.values()],
        }

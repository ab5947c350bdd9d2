"""A call as a state machine in a table. Pure; `now` is UTC milliseconds."""

from dataclasses import dataclass, field
from typing import Any, Literal

from signaling.errors import Refused

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

    def cancel(self, user: str, now: int) -> None:
        """The caller gives up before anyone answered. Raises Refused."""
        if user != self.caller or self.state != "ringing":
            raise Refused("conflict", "only the caller cancels, and only while it rings")
        self.cancelled = True
        for name in self.ringing():
            self.parties[name].state = "missed"
        self.parties[user].state = "left"
        self.ended_at = now

    def give_up(self, now: int) -> bool:
        """Nobody more will answer; False when nobody was still ringing."""
        waiting = self.ringing()
        for name in waiting:
            self.parties[name].state = "missed"
        self._settle(now)
        return bool(waiting)

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

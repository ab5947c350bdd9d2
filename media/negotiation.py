"""The offer in flight on a `subscribe` transport: one at a time, the rest coalesce."""

import enum
from typing import Final


class State(enum.Enum):
    """Where the exchange stands."""

    IDLE = "idle"
    """Both ends agree."""
    DUE = "due"
    """Something changed; the offer goes out at the end of this turn of the loop."""
    OFFERED = "offered"
    """Waiting for the answer."""
    STALE = "stale"
    """Waiting for the answer, and something changed since."""
    CLOSED = "closed"


class Step(enum.Enum):
    """What happens to it."""

    CHANGE = "change"
    SEND = "send"
    ANSWER = "answer"
    RESTART = "restart"
    """The answer will never come, or the peer starts over."""
    CLOSE = "close"


TRANSITIONS: Final[dict[tuple[State, Step], State]] = {
    (State.IDLE, Step.CHANGE): State.DUE,
    (State.DUE, Step.CHANGE): State.DUE,
    (State.OFFERED, Step.CHANGE): State.STALE,
    (State.STALE, Step.CHANGE): State.STALE,
    (State.DUE, Step.SEND): State.OFFERED,
    (State.OFFERED, Step.ANSWER): State.IDLE,
    (State.STALE, Step.ANSWER): State.DUE,
    (State.IDLE, Step.RESTART): State.DUE,
    (State.DUE, Step.RESTART): State.DUE,
    (State.OFFERED, Step.RESTART): State.DUE,
    (State.STALE, Step.RESTART): State.DUE,
    **{(state, Step.CLOSE): State.CLOSED for state in State},
}
"""Everything else is a mistake of the caller: ValueError."""


class Negotiation:
    """The state machine, and the number of the offer in flight."""

    __slots__ = ("number", "state")

    def __init__(self) -> None:
        self.state = State.IDLE
        self.number = 0
        """Of the latest offer; the first is 1."""

    def step(self, step: Step) -> bool:
        """Take a step; True when an offer is due now that was not before. Raises ValueError."""
        after = TRANSITIONS.get((self.state, step))
        if after is None:
            raise ValueError(f"{step.value} while {self.state.value}")
        due = after is State.DUE and self.state is not State.DUE
        self.state = after
        if step is Step.SEND:
            self.number += 1
        return due

    @property
    def offer_id(self) -> str:
        """Names the offer in flight towards the client."""
        return f"offer-{self.number}"

    @property
    def waiting(self) -> bool:
        """Whether an answer is expected."""
        return self.state in (State.OFFERED, State.STALE)

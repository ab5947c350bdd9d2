"""Names of the Broker's topics: `kind:app:name`. An app's id holds no colon; a name may."""

from typing import NamedTuple


class Topic(NamedTuple):
    """A topic taken apart; `kind` is one letter."""

    kind: str
    app: str
    name: str


def conversation(app: str, name: str) -> str:
    """Log events, receipts and typing of a Conversation."""
    return f"c:{app}:{name}"


def user(app: str, name: str) -> str:
    """What concerns one User: rings, signals, membership, revocation."""
    return f"u:{app}:{name}"


def room(app: str, name: str) -> str:
    """Events for everyone in a Room."""
    return f"r:{app}:{name}"


def seat(app: str, participant: str) -> str:
    """Events for one Participant: offers, removal."""
    return f"s:{app}:{participant}"


def presence(app: str, name: str) -> str:
    """A User's presence, for those who watch it."""
    return f"p:{app}:{name}"


def admins(app: str) -> str:
    """What concerns who administers the App."""
    return f"a:{app}:admins"


def parse(topic: str) -> Topic:
    """The parts of a topic. Raises ValueError on anything else."""
    kind, app, name = topic.split(":", 2)
    return Topic(kind, app, name)

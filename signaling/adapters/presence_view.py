"""What others see of a User, from what the User's Connections say. Pure; shared by the adapters.

The last word among `online`, `busy` and `invisible` holds for the whole User; `away` is said by one
Connection and shown when all of them are away. An empty status only connects.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from signaling.model import Presence

OFFLINE_MODES = frozenset({"invisible"})


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What outlives a User's Connections."""

    mode: str = "online"
    text: str | None = None
    last_seen: int | None = None


def view(
    user: str,
    mode: str,
    text: str | None,
    last_seen: int | None,
    connections: Iterable[tuple[str, bool]],
) -> Presence:
    """`connections` are (device, away)."""
    entries = list(connections)
    if not entries or mode in OFFLINE_MODES:
        return Presence(user=user, status="offline", last_seen=last_seen)
    status: Literal["online", "away", "busy"] = "online"
    if mode == "busy":
        status = "busy"
    elif all(away for _, away in entries):
        status = "away"
    devices = len({device for device, _ in entries})
    return Presence(user=user, status=status, text=text, devices=devices)


def next_mode(mode: str, status: str) -> str:
    """The User's mode after one Connection said `status`."""
    return status if status in ("online", "busy", "invisible") else mode


def differs(before: Presence, after: Presence) -> bool:
    """Whether others see a change; `last_seen` alone is none."""
    return (before.status, before.text, before.devices) != (
        after.status,
        after.text,
        after.devices,
    )

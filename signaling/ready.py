"""What `session:ready` says of the server: its limits, its features, and the ICE servers."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

from signaling.config import MediaSettings, Settings
from signaling.model import Identity
from signaling.node import Node
from signaling.ports import Clock

LIMITS = (
    "message_bytes",
    "mentions",
    "scheduled",
    "group_members",
    "missed_events",
    "file_bytes",
)


def limits_of(settings: Settings) -> dict[str, int]:
    """What a client need not try to exceed."""
    limits = settings.limits
    return {
        **{name: getattr(limits, name) for name in LIMITS},
        "room_participants": limits.room_participants,
        "packet_bytes": settings.gateway.max_packet_bytes,
    }


def features_of(requests: Iterable[str]) -> list[str]:
    """The families of requests that are answered: `room` and `media` are missing without media."""
    return sorted({name.partition(":")[0] for name in requests})


def greet(node: Node, settings: Settings, clock: Clock) -> None:
    """Have a node say it; its table of requests is whole."""
    features = features_of(node.table)
    node.ready_fields = {"limits": limits_of(settings), "features": features}
    node.ice_servers = IceServers(settings.media, clock)


class IceServers:
    """STUN and TURN for clients that talk with each other, and for networks without a way out."""

    def __init__(self, settings: MediaSettings, clock: Clock) -> None:
        # passed in
        self._settings = settings
        self._clock = clock

    def __call__(self, who: Identity) -> list[dict[str, Any]]:
        """RTCIceServer objects for one user; TURN's credentials are theirs and run out."""
        turn = [url for url in self._settings.ice_servers if is_turn(url)]
        stun = [url for url in self._settings.ice_servers if not is_turn(url)]
        servers: list[dict[str, Any]] = [{"urls": stun}] if stun else []
        if turn:
            servers.append({"urls": turn, **self._credentials(who)})
        return servers

    def _credentials(self, who: Identity) -> dict[str, str]:
        """A time and a name signed with what the TURN server knows too (draft-uberti-behave-turn-
        rest, section 2.2); the name is a digest: the relay need not know who calls.
        """
        settings = self._settings
        if not settings.turn_secret:
            return {"username": settings.turn_username, "credential": settings.turn_password}
        expires_s = (self._clock() + settings.turn_lifetime_ms) // 1000
        name = hashlib.sha256(f"{who.app}\n{who.user}".encode()).hexdigest()[:16]
        username = f"{expires_s}:{name}"
        made = hmac.digest(settings.turn_secret.encode(), username.encode(), "sha1")
        return {"username": username, "credential": base64.b64encode(made).decode()}


def is_turn(url: str) -> bool:
    """Whether an ICE server relays, so that it wants credentials (RFC 7065)."""
    return url.partition(":")[0] in ("turn", "turns")

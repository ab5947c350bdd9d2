"""A user's installations: which there are, and signing one out from another."""

from typing import Any, Protocol

from signaling.errors import Refused
from signaling.model import Device, Identity
from signaling.ports import Clock
from signaling.protocol.devices import ListDevices, SignOutDevice


class Users(Protocol):
    """Who keeps the devices."""

    async def devices(self, app: str, user: str) -> list[Device]:
        """The latest seen first, those that were signed out too."""

    async def revoke_device(self, app: str, user: str, device: str, at: int) -> bool:
        """False when there is no such device."""


class Ending(Protocol):
    """Who takes tokens back."""

    async def device(self, app: str, user: str, device: str) -> None:
        """Those of one device issued so far, with their sockets."""


class Devices:
    """Answers `device:list` and `device:sign_out`."""

    def __init__(self, users: Users, ending: Ending, clock: Clock) -> None:
        # passed in
        self._users = users
        self._ending = ending
        self._clock = clock

    async def list(self, who: Identity, request: ListDevices) -> dict[str, Any]:
        """`device:list`: `{devices: [{device, name, created_at, seen_at, own}]}`."""
        found = await self._users.devices(who.app, who.user)
        return {
            "devices": [
                {
                    "device": one.device,
                    "name": one.name,
                    "created_at": one.created_at,
                    "seen_at": one.seen_at,
                    "own": one.device == who.device,
                }
                for one in found
                if one.revoked_at is None
            ]
        }

    async def sign_out(self, who: Identity, request: SignOutDevice) -> dict[str, Any]:
        """`device:sign_out`. Raises Refused not_found."""
        await self.end(who.app, who.user, request.device)
        return {"device": request.device}

    async def end(self, app: str, user: str, device: str) -> None:
        """Sign a device out. Raises Refused not_found."""
        if not await self._users.revoke_device(app, user, device, self._clock()):
            raise Refused("not_found", "this user has no such device")
        await self._ending.device(app, user, device)

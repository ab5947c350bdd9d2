"""Requests about a user's own installations."""

from typing import Annotated

import msgspec

DeviceId = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class ListDevices(msgspec.Struct, frozen=True, kw_only=True):
    """`device:list`: this user's devices that are signed in, the latest seen first."""


class SignOutDevice(msgspec.Struct, frozen=True, kw_only=True):
    """`device:sign_out`: end a device's sockets and tokens; one made later brings it back."""

    device: DeviceId

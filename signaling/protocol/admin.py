"""What an app's server sends to manage its keys and mint tokens."""

from typing import Annotated, Any

import msgspec

from signaling.model import Grants
from signaling.protocol.fields import UserId


class CreateKey(msgspec.Struct, frozen=True, kw_only=True):
    """A new API key of this app."""

    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    scopes: tuple[str, ...] = ("tokens", "read", "write")


class KeyView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A key; `secret` is there once, when it is made."""

    key: str
    name: str
    scopes: tuple[str, ...]
    created_at: int
    revoked_at: int | None = None
    secret: str | None = None


class CreateToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token for one of this app's users, signed with the calling key."""

    user: UserId
    name: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    device: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] | None = None
    grants: Grants | None = None
    lifetime_s: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 3600
    jti: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] | None = None


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A minted token."""

    token: str
    user: str
    expires_in: int
    """Seconds."""


class AppView(msgspec.Struct, frozen=True, kw_only=True):
    """The calling key's app."""

    app: str
    name: str
    created_at: int
    settings: dict[str, Any]


class UpdateApp(msgspec.Struct, frozen=True, kw_only=True):
    """Settings to change; a null value removes one."""

    settings: dict[str, Any] = {}


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """One installation of a user."""

    device: str
    name: str | None
    created_at: int
    seen_at: int
    revoked_at: int | None

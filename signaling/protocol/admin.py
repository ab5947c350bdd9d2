"""What an app's server sends to manage its keys and mint tokens."""

from typing import Annotated, Any, Literal

import msgspec

from signaling.model import ConversationType, Grants, Role
from signaling.protocol.fields import UserId
from signaling.protocol.settings import AppSettings


class CreateKey(msgspec.Struct, frozen=True, kw_only=True):
    """A new API key of this app."""

    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    scopes: Annotated[
        tuple[Literal["tokens", "read", "write", "admin"], ...],
        msgspec.Meta(min_length=1, max_length=4),
    ] = ("tokens", "read", "write")


class KeyView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A key; `secret` is there once, when it is made."""

    key: str
    name: str
    scopes: tuple[str, ...]
    created_at: int
    revoked_at: int | None = None
    """From when it is refused; ahead of now while a rotated key still works."""
    secret: str | None = None


class OwnKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """The calling key, and whose it is."""

    key: str
    name: str
    scopes: tuple[str, ...]
    app: str
    app_name: str


class RotateKey(msgspec.Struct, frozen=True, kw_only=True):
    """How long the old key goes on beside the new one."""

    overlap_s: Annotated[int, msgspec.Meta(ge=0, le=604_800)] = 86_400


class RevokeToken(msgspec.Struct, frozen=True, kw_only=True):
    """The `jti` of tokens to take back."""

    jti: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class RevokedTokenView(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken back."""

    jti: str


class SignedOutView(msgspec.Struct, frozen=True, kw_only=True):
    """A user whose tokens were taken back."""

    user: str


class SignedOutDeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """A device that was signed out."""

    device: str


class CreateApp(msgspec.Struct, frozen=True, kw_only=True):
    """A new tenant; its first key comes with the answer."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"\S")]
    app: Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9_-]{0,62}$")] | None = None
    """Its id; made up when absent."""


class UserView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person in the app."""

    user: str
    name: str | None
    created_at: int
    seen_at: int
    devices: int | None = None
    """How many; only of one user."""


class ConversationView(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation as the app's server sees it."""

    id: str
    type: ConversationType
    title: str | None
    alias: str | None
    open: bool
    created_at: int
    created_by: str
    head: int
    member_count: int
    archived_at: int | None


class MemberView(msgspec.Struct, frozen=True, kw_only=True):
    """A member as the app's server sees them."""

    user: str
    name: str | None
    role: Role
    joined_at: int
    muted_until: int | None
    delivered: int
    read: int


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


class CreatedAppView(msgspec.Struct, frozen=True, kw_only=True):
    """A new app and its first key; the only time the secret is shown."""

    app: str
    name: str
    created_at: int
    settings: dict[str, Any]
    key: str
    secret: str


class UpdateApp(msgspec.Struct, frozen=True, kw_only=True):
    """A new name, and settings to change; a null value removes one."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"\S")] | None = None
    settings: dict[str, Any] = {}


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """One installation of a user."""

    device: str
    name: str | None
    created_at: int
    seen_at: int
    revoked_at: int | None


class SettingsView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An app's settings."""

    settings: AppSettings
    pre_send_secret: str | None = None
    """What questions to the pre-send hook are signed with; in the answer that sets it only."""

"""Requests about Web Push."""

from typing import Annotated

import msgspec

Base64Url = Annotated[str, msgspec.Meta(min_length=20, max_length=120, pattern=r"^[\w-]+=*$")]


class PushKey(msgspec.Struct, frozen=True, kw_only=True):
    """`push:key`: the server's public key, for a browser's `applicationServerKey`."""


class PushKeys(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser encrypts for (RFC 8291): its public key and a shared secret, base64url."""

    p256dh: Base64Url
    auth: Base64Url


class PushSubscribe(msgspec.Struct, frozen=True, kw_only=True):
    """`push:subscribe`: a browser's `PushSubscription.toJSON()`."""

    endpoint: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s]{1,1000}$")]
    keys: PushKeys


class PushUnsubscribe(msgspec.Struct, frozen=True, kw_only=True):
    """`push:unsubscribe`."""

    endpoint: Annotated[str, msgspec.Meta(min_length=1, max_length=1010)]

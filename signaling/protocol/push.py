"""Requests about Web Push."""

from typing import Annotated

import msgspec

Base64Url = Annotated[str, msgspec.Meta(min_length=20, max_length=120, pattern=r"^[\w-]+=*$")]

Endpoint = Annotated[
    str, msgspec.Meta(max_length=1010, pattern=r"^https?://[!$&'()*+,./0-9:;=?@A-Z\[\]_a-z~%-]+$")
]
"""A URL as RFC 3986 writes it: without what must be escaped."""


class PushKey(msgspec.Struct, frozen=True, kw_only=True):
    """`push:key`: the server's public key, for a browser's `applicationServerKey`."""


class PushKeys(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser encrypts for (RFC 8291): its public key and a shared secret, base64url."""

    p256dh: Base64Url
    auth: Base64Url


class PushSubscribe(msgspec.Struct, frozen=True, kw_only=True):
    """`push:subscribe`: a browser's `PushSubscription.toJSON()`."""

    endpoint: Endpoint
    keys: PushKeys


class PushUnsubscribe(msgspec.Struct, frozen=True, kw_only=True):
    """`push:unsubscribe`."""

    endpoint: Endpoint

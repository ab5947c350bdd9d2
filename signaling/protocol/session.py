"""Requests about what a device has missed."""

from typing import Annotated

import msgspec


class Sync(msgspec.Struct, frozen=True, kw_only=True):
    """`sync`: what came after `cursor`; `conversations` names the last seq known of some, which
    wins.
    """

    cursor: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    conversations: Annotated[
        dict[str, Annotated[int, msgspec.Meta(ge=0, le=2**53)]], msgspec.Meta(max_length=1000)
    ] = {}


class SessionRefresh(msgspec.Struct, frozen=True, kw_only=True):
    """`session:refresh`: a new token for the live socket."""

    token: Annotated[str, msgspec.Meta(max_length=8192)]

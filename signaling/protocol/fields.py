"""Kinds of fields that requests share."""

from typing import Annotated

import msgspec

from signaling.ids import SHAPE

NO_ZERO = r"^[^\u0000]*$"
"""Databases keep no zero characters."""
UserId = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=NO_ZERO)]
ConversationKey = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=200,
        pattern=NO_ZERO,
        description="A conversation's id or alias.",
    ),
]
ClientId = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=128,
        pattern=NO_ZERO,
        description="Yours: fresh per request, the same on a resend.",
    ),
]
Title = Annotated[str, msgspec.Meta(max_length=200, pattern=NO_ZERO)]
Alias = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=100,
        pattern=rf"^(?!{SHAPE}$)[^\s/:#?\u0000]+$",
        description="A name of its own; it may not look like an id.",
    ),
]
Seq = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=2**53, description="UTC milliseconds.")]
Duration = Annotated[int, msgspec.Meta(ge=0, le=10 * 365 * 86_400_000)]
Days = Annotated[int, msgspec.Meta(ge=0, le=36_500)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=200)]

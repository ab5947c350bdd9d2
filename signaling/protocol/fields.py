"""Kinds of fields that requests share."""

from typing import Annotated

import msgspec

UserId = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
ConversationKey = Annotated[
    str, msgspec.Meta(min_length=1, max_length=200, description="A conversation's id or alias.")
]
ClientId = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=128, description="Yours: fresh per request, the same on a resend."
    ),
]
Title = Annotated[str, msgspec.Meta(max_length=200)]
Alias = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[^\s/:#?]+$")]
Seq = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=2**53, description="UTC milliseconds.")]
Duration = Annotated[int, msgspec.Meta(ge=0, le=10 * 365 * 86_400_000)]
Days = Annotated[int, msgspec.Meta(ge=0, le=36_500)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=200)]

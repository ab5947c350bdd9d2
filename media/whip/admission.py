"""Who may publish and watch: decided by whoever runs the endpoint."""

import hmac
from dataclasses import dataclass
from typing import Literal, Protocol

from media.config import Rights
from media.errors import MediaError

Action = Literal["publish", "subscribe", "stats"]


@dataclass(frozen=True, slots=True)
class Admission:
    """What a caller got."""

    room: str
    """The Room's name inside the Sfu."""
    rights: Rights
    tag: object = None
    """What the judge wants to know the session by."""


class Authorize(Protocol):
    """Judges a Bearer token. Called once for every request, DELETE and PATCH too."""

    async def __call__(self, token: str | None, action: Action, room: str) -> Admission:
        """The admission; raises MediaError `unauthorized` or `forbidden`.

        `token` is None when the caller sent none; `room` is "" for `stats`.
        """


class Gate:
    """One shared token for everything, or none at all: the standalone SFU's rule."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    async def __call__(self, token: str | None, action: Action, room: str) -> Admission:
        """See Authorize."""
        wanted = self._token
        if wanted is not None and not _same(token or "", wanted):
            raise MediaError("unauthorized", "a valid Bearer token is required")
        publish = action == "publish"
        return Admission(room, Rights(publish=publish, subscribe=action == "subscribe"))


def _same(given: str, wanted: str) -> bool:
    # aiohttp hands bytes that are no UTF-8 on as surrogates.
    return hmac.compare_digest(given.encode(errors="surrogateescape"), wanted.encode())

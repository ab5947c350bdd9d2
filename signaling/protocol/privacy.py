"""REST bodies of exports and erasures."""

from typing import Literal

import msgspec


class JobView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Work on a user's data; ask again until `state` is `done` or `failed`."""

    job: str
    kind: Literal["export", "erase"]
    user: str
    state: Literal["queued", "running", "done", "failed"]
    created_at: int
    updated_at: int
    items: int
    """Messages and files dealt with."""
    error: str | None = None
    """Why the latest attempt failed."""
    download_url: str | None = None
    """Of an export: a zip archive, for whoever has the link, until `expires_at`."""
    expires_at: int | None = None

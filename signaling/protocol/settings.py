"""An app's settings: what there is, in what shape, and what holds without it."""

from typing import Annotated, Any, Literal

import msgspec

from signaling.model import ConversationType
from signaling.protocol.fields import Duration

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Visible = Literal["everyone", "shared", "nobody"]
"""To all of the app, to who shares a conversation, or to none."""


class WordFilter(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Words that messages may not have. Width, case, accents of stacked marks and invisible
    characters make no difference; Chinese, Japanese and Korean words are found anywhere, also with
    spaces or signs between their characters.
    """

    words: Annotated[tuple[Word, ...], msgspec.Meta(max_length=2_000)] = ()
    action: Literal["refuse", "mask"] = "refuse"
    """`mask` puts `*` for each character."""
    match: Literal["word", "substring"] = "word"
    """Whether other words must stand alone; substrings are found inside longer words too."""


class PreSendHook(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A server of the app that is asked before a message is kept."""

    url: Annotated[str, msgspec.Meta(max_length=2_000, pattern=r"^https?://[^\s]+$")]
    fail: Literal["open", "closed"] = "open"
    """What holds when it does not answer in time: the message goes on, or is `unavailable`."""
    version: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    """Another one gives another signing secret."""


class PresenceDefaults(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What holds for users who chose nothing with `presence:privacy`."""

    status: Visible = "everyone"
    last_seen: Literal["everyone", "nobody"] = "everyone"


class AppSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """All of them; unknown ones are refused."""

    word_filter: WordFilter | None = None
    pre_send: PreSendHook | None = None
    recall_limit_ms: Duration = 0
    """How long senders may recall or edit, where the conversation says nothing; 0 for ever."""
    slow_mode_ms: Duration = 0
    """Least time between two messages of one member of a group, where it says nothing itself."""
    presence: PresenceDefaults = PresenceDefaults()
    retention_days: dict[ConversationType, float] | None = None
    """Messages of such conversations are blanked after so many days."""
    origins: list[str] | None = None
    """Pages that may connect."""
    jwks: dict[str, Any] | None = None
    """The app's public keys (RFC 7517)."""
    jwks_url: str | None = None
    """Where they are published."""


def settings_of(raw: dict[str, Any]) -> AppSettings:
    """Of the stored object. Raises msgspec.ValidationError."""
    return msgspec.convert(raw, AppSettings)

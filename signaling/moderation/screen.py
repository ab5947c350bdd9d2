"""What a message must pass before it is kept: the app's word filter, then its pre-send hook."""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from msgspec.structs import replace

from signaling.errors import Refused
from signaling.moderation.presend import PreSend, Said
from signaling.moderation.words import Words
from signaling.protocol.settings import AppSettings, WordFilter

TEXTS = ("text", "caption", "title", "description")
"""The fields of a body that people read; also inside lists and objects of an app's own kinds."""
DEPTH_MAX = 8

SettingsOf = Callable[[str], Coroutine[Any, Any, AppSettings]]


class Screen(Protocol):
    """Looks at what is about to be said."""

    async def settings(self, app: str) -> AppSettings:
        """What the app set."""

    def looks(self, settings: AppSettings) -> bool:
        """Whether anything is looked at."""

    async def body(self, app: str, settings: AppSettings, said: Said) -> dict[str, Any]:
        """What is kept instead, or the same. Raises Refused: forbidden, unavailable."""


class NoScreen:
    """Everything passes, with the settings every app begins with."""

    async def settings(self, app: str) -> AppSettings:
        """Defaults."""
        return AppSettings()

    def looks(self, settings: AppSettings) -> bool:
        """No."""
        return False

    async def body(self, app: str, settings: AppSettings, said: Said) -> dict[str, Any]:
        """As it was."""
        return said.body


class AppScreen:
    """By the settings of each app."""

    def __init__(self, settings: SettingsOf, presend: PreSend) -> None:
        # passed in
        self._settings = settings
        self._presend = presend
        # made here
        self._words: dict[str, tuple[WordFilter, Words]] = {}

    def settings(self, app: str) -> Coroutine[Any, Any, AppSettings]:
        """At most a second old."""
        return self._settings(app)

    def looks(self, settings: AppSettings) -> bool:
        """Whether there is a list of words or a hook."""
        return settings.word_filter is not None or settings.pre_send is not None

    async def body(self, app: str, settings: AppSettings, said: Said) -> dict[str, Any]:
        """Words first: what the filter refuses is nobody else's business."""
        if settings.word_filter is not None:
            words = self._compiled(app, settings.word_filter)
            cleaned = clean(words, said.body, settings.word_filter.action)
            said = replace(said, body=cleaned)
        if settings.pre_send is not None:
            return await self._presend.body(app, settings.pre_send, said)
        return said.body

    def _compiled(self, app: str, wanted: WordFilter) -> Words:
        known = self._words.get(app)
        if known is None or known[0] is not wanted:
            known = self._words[app] = (wanted, Words(wanted.words, wanted.match))
        return known[1]


def clean(words: Words, body: dict[str, Any], action: str) -> dict[str, Any]:
    """The body with stars where words were. Raises Refused forbidden when they are not masked."""
    cleaned: dict[str, Any] = _cleaned(words, body, action, 0)
    return cleaned


def _cleaned(words: Words, value: Any, action: str, depth: int) -> Any:
    if depth >= DEPTH_MAX:
        return value
    if isinstance(value, list):
        return [_cleaned(words, one, action, depth + 1) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _text(words, one, action)
        if name in TEXTS and isinstance(one, str)
        else _cleaned(words, one, action, depth + 1)
        for name, one in value.items()
    }


def _text(words: Words, text: str, action: str) -> str:
    masked = words.mask(text)
    if masked is None:
        return text
    if action == "refuse":
        raise Refused("forbidden", "the message has words that this app does not allow")
    return masked

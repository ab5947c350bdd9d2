"""Asks an app's own server about a message before it is kept: signed as webhooks are."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Literal, Protocol

import msgspec

from signaling import ids
from signaling.errors import Refused
from signaling.outbox.dispatcher import PostFailed
from signaling.outbox.webhook import signature
from signaling.ports import Clock
from signaling.protocol.settings import PreSendHook

BUDGET_S = 1.0
"""From the question to the whole answer, name resolution and all."""
FAILURES_MAX = 5
REST_MS = 5_000
"""After so many failures in a row a hook is not asked for so long: `fail` decides meanwhile."""
REASON_CHARS = 500

log = logging.getLogger(__name__)


class Asker(Protocol):
    """The way out."""

    async def ask(self, url: str, headers: dict[str, str], body: bytes, limit_s: float) -> bytes:
        """The body of a 2xx answer. Raises PostFailed."""


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the hook is asked about."""

    conversation: str
    sender: str
    kind: str
    body: dict[str, Any]
    client_id: str | None = None
    """None for an edit."""
    edits: int | None = None
    """The seq of the message that would be edited."""
    mentions: tuple[str, ...] = ()
    reply_to: int | None = None
    thread: int | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What it may say; an empty answer allows."""

    action: Literal["allow", "refuse", "replace"] = "allow"
    reason: str = ""
    """Told to the sender when refused."""
    body: dict[str, Any] | None = None
    """What is kept when replaced."""


class PreSend:
    """Every app's hook of one process."""

    def __init__(self, asker: Asker, secret: Callable[[str], bytes], clock: Clock) -> None:
        # passed in
        self._asker = asker
        self._secret = secret
        """A 32-byte key for a purpose, see MasterKey.derive."""
        self._clock = clock
        # made here
        self._failures: dict[str, int] = {}
        self._resting: dict[str, int] = {}
        self._asking: dict[str, asyncio.Future[Answer]] = {}
        self.asked_total = self.refused_total = self.failed_total = 0

    def secret(self, app: str, hook: PreSendHook) -> str:
        """What its questions are signed with: follows from the master key, kept nowhere."""
        return self._secret(f"pre-send {app} {hook.version} {hook.url}").hex()

    async def body(self, app: str, hook: PreSendHook, said: Said) -> dict[str, Any]:
        """What is to be kept. Raises Refused: forbidden, or unavailable from a closed hook.

        The same message sent twice at a time is asked about once.
        """
        name = ids.of("ps", [app, said.sender, said.client_id or ids.new("x")])
        running = self._asking.get(name)
        if running is None:
            running = self._asking[name] = asyncio.ensure_future(self._ask(app, hook, name, said))
            running.add_done_callback(lambda _: self._asking.pop(name, None))
        answer = await asyncio.shield(running)
        if answer.action == "refuse":
            self.refused_total += 1
            reason = answer.reason[:REASON_CHARS] or "the app does not allow this message"
            raise Refused("forbidden", reason)
        return answer.body if answer.action == "replace" and answer.body else said.body

    async def _ask(self, app: str, hook: PreSendHook, name: str, said: Said) -> Answer:
        if self._resting.get(hook.url, 0) > self._clock():
            return _failed(hook)
        try:
            answer = await self._answer(app, hook, name, said)
        except (PostFailed, TimeoutError, msgspec.DecodeError) as error:
            self._count_failure(app, hook, error)
            return _failed(hook)
        self._failures.pop(hook.url, None)
        return answer

    async def _answer(self, app: str, hook: PreSendHook, name: str, said: Said) -> Answer:
        self.asked_total += 1
        now = self._clock()
        question = {"id": name, "type": "message:check", "app": app, "at": now, "data": said}
        body = msgspec.json.encode(question)
        headers = {
            "Content-Type": "application/json",
            "TokenIM-Id": name,
            "TokenIM-Timestamp": str(now),
            "TokenIM-Attempt": "1",
            "TokenIM-Signature": signature(self.secret(app, hook).encode(), str(now), body),
        }
        async with asyncio.timeout(BUDGET_S):
            text = await self._asker.ask(hook.url, headers, body, BUDGET_S)
        return msgspec.json.decode(text, type=Answer) if text.strip() else Answer()

    def _count_failure(self, app: str, hook: PreSendHook, error: Exception) -> None:
        self.failed_total += 1
        failures = self._failures[hook.url] = self._failures.get(hook.url, 0) + 1
        if failures >= FAILURES_MAX:
            self._failures.pop(hook.url)
            self._resting[hook.url] = self._clock() + REST_MS
            log.warning("the pre-send hook of %s fails and rests: %s", app, error)

    def stats(self) -> dict[str, float]:
        """Counters for the metrics."""
        return {
            "asked_total": self.asked_total,
            "refused_total": self.refused_total,
            "failed_total": self.failed_total,
        }


def _failed(hook: PreSendHook) -> Answer:
    if hook.fail == "closed":
        raise Refused("unavailable", "the app cannot check messages now", retry_after_ms=REST_MS)
    return Answer()

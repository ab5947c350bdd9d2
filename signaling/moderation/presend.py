"""Asks an app's own server about a message before it is kept: signed as webhooks are."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec
from msgspec.structs import replace

from signaling import ids
from signaling.errors import Refused
from signaling.integers import check_integers
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

    async def ask(
        self, url: str, headers: dict[str, str], body: bytes, owner: str, limit_s: float
    ) -> bytes:
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


@dataclass(slots=True)
class _Health:
    """How an app's hook does; another address begins anew."""

    url: str
    failures: int = 0
    rests_until: int = 0


class PreSend:
    """Every app's hook of one process."""

    def __init__(self, asker: Asker, secret: Callable[[str], bytes], clock: Clock) -> None:
        # passed in
        self._asker = asker
        self._secret = secret
        """A 32-byte key for a purpose, see MasterKey.derive."""
        self._clock = clock
        # made here
        self._health: dict[str, _Health] = {}
        """By app: no app's failures are held against another that names the same address."""
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
        return said.body if answer.body is None else answer.body

    async def _ask(self, app: str, hook: PreSendHook, name: str, said: Said) -> Answer:
        health = self._health.get(app)
        if health is None or health.url != hook.url:
            health = self._health[app] = _Health(hook.url)
        if health.rests_until > self._clock():
            return _failed(hook)
        try:
            answer = await self._answer(app, hook, name, said)
        except (PostFailed, TimeoutError, msgspec.DecodeError) as error:
            self._count_failure(app, health, error)
            return _failed(hook)
        health.failures = 0
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
            text = await self._asker.ask(hook.url, headers, body, app, BUDGET_S)
        return _read(text)

    def _count_failure(self, app: str, health: _Health, error: Exception) -> None:
        self.failed_total += 1
        health.failures += 1
        if health.failures >= FAILURES_MAX:
            health.failures = 0
            health.rests_until = self._clock() + REST_MS
            log.warning("the pre-send hook of %s fails and rests: %s", app, error)

    def stats(self) -> dict[str, float]:
        """Counters for the metrics."""
        return {
            "asked_total": self.asked_total,
            "refused_total": self.refused_total,
            "failed_total": self.failed_total,
        }


def _read(text: bytes) -> Answer:
    """Raises msgspec.DecodeError, also for a replacement that brings nothing that can be kept."""
    answer = msgspec.json.decode(text, type=Answer) if text.strip() else Answer()
    if answer.action == "replace":
        if not answer.body:
            raise msgspec.ValidationError("`replace` comes with a `body`")
        try:
            check_integers(answer.body)
        except Refused as refused:
            raise msgspec.ValidationError(refused.message) from refused
        return answer
    return replace(answer, body=None)


def _failed(hook: PreSendHook) -> Answer:
    if hook.fail == "closed":
        raise Refused("unavailable", "the app cannot check messages now", retry_after_ms=REST_MS)
    return Answer()

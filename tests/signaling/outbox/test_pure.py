"""The outbox's decisions: who wants what, when to try again, what is signed."""

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from signaling.outbox.schedule import CAP_MS, MAX_ATTEMPTS, retry_in_ms
from signaling.outbox.webhook import Webhook, signature


def hook(*events: str) -> Webhook:
    return Webhook(id="wh", app="a", url="https://x", events=events, sealed=b"", created_at=0)


def test_a_hook_wants_exact_types_and_families() -> None:
    assert hook("message:created").wants("message:created")
    assert not hook("message:created").wants("message:edited")
    assert hook("message:*").wants("message:edited")
    assert not hook("message:*").wants("member:joined")
    assert hook("*").wants("call:ended")


@given(st.integers(1, MAX_ATTEMPTS - 2), st.floats(0, 0.999))
def test_pauses_grow_to_a_cap(attempts: int, spread: float) -> None:
    now, then = retry_in_ms(attempts, spread), retry_in_ms(attempts + 1, spread)
    assert now is not None
    assert then is not None
    assert 1000 <= now <= then <= CAP_MS * 1.25


def test_retrying_ends_after_hours() -> None:
    pauses = [retry_in_ms(attempts, 0) for attempts in range(1, MAX_ATTEMPTS + 1)]
    assert pauses[-1] is None
    assert sum(pause or 0 for pause in pauses) > 10 * CAP_MS


def test_the_signature_covers_time_and_body() -> None:
    expected = hmac.new(b"s", b'1700.{"a":1}', hashlib.sha256).hexdigest()
    assert signature(b"s", "1700", b'{"a":1}') == f"v1={expected}"

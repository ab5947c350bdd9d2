"""Times of the edge that are no settings: none of them is over before a test is."""

import pytest

from tests.signaling.gateway.peers import NEVER_MS


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for a while cuts no good-bye short and repeats no line."""
    for constant in ("link.LINGER_S", "socket.LINGER_S", "throttle.PERIOD_S"):
        monkeypatch.setattr(f"signaling.gateway.{constant}", NEVER_MS / 1000)

"""How long the parts that are shared get to answer: in tests, a slow machine is no failure."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

PATIENCE_S = 60.0
IN_SECONDS = (
    "signaling.adapters.pictures.TIMEOUT_S",
    "signaling.adapters.redis_broker.START_S",
    "signaling.adapters.redis_client.TIMEOUT_S",
    "signaling.adapters.redis_ears.CONFIRM_S",
    "signaling.adapters.sql.postgres.COMMAND_TIMEOUT_S",
    "signaling.adapters.sql.postgres.CONNECT_TIMEOUT_S",
    "signaling.http.health.CHECK_TIMEOUT_S",
    "signaling.services.call_host.CLOSE_S",
    "signaling.services.calls.REQUEST_TIMEOUT_S",
    "signaling.services.live_rooms.TIMEOUT_S",
    "signaling.services.rooms.REQUEST_TIMEOUT_S",
    "signaling.shared_seats.PATIENCE_S",
)
IN_MILLISECONDS = (
    "signaling.adapters.sql.postgres.LOCK_TIMEOUT_MS",
    "signaling.adapters.sql.sqlite.BUSY_TIMEOUT_MS",
)


@contextmanager
def patient() -> Iterator[None]:
    """A Redis or database that stands still for some seconds, with everything else, is not away."""
    with pytest.MonkeyPatch.context() as patch:
        for name in IN_SECONDS:
            patch.setattr(name, PATIENCE_S)
        for name in IN_MILLISECONDS:
            patch.setattr(name, round(PATIENCE_S * 1000))
        yield

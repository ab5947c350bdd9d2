"""When a failed delivery is tried again."""

BASE_MS = 1_000
CAP_MS = 3_600_000
MAX_ATTEMPTS = 24
"""1 s, 2 s, 4 s, ... up to an hour: about 13 hours in all."""
HORIZON_MS = 16 * 3_600_000
"""What all tries take at most. What waits behind a failing one is not kept longer either."""


def retry_in_ms(attempts: int, spread: float) -> int | None:
    """Milliseconds until the next try after `attempts` failures; None when it is enough.

    `spread` in [0, 1) adds up to a quarter, so that many failures do not return at once.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    pause = min(BASE_MS << min(attempts - 1, 30), CAP_MS)
    return int(pause * (1 + spread / 4))

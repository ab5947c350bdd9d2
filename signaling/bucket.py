"""A token bucket: so many at once, so many a second after that. Pure; `now_ms` is an argument."""

from signaling.errors import Refused


class Bucket:
    """One caller's allowance."""

    def __init__(self, per_second: float, burst: float, now_ms: float) -> None:
        self._per_ms = per_second / 1000
        self._burst = burst
        self._left = burst
        self._at_ms = now_ms

    def take(self, now_ms: float, amount: float = 1.0) -> None:
        """Raises Refused rate_limited with the time after which the same request passes."""
        self._earn(now_ms)
        if self._left < amount:
            wait_ms = int((amount - self._left) / self._per_ms) + 1
            raise Refused("rate_limited", "too many requests", retry_after_ms=wait_ms)
        self._left -= amount

    def left(self, now_ms: float) -> float:
        """How much may be taken now."""
        self._earn(now_ms)
        return self._left

    def full_in_ms(self, now_ms: float) -> float:
        """How long until it is full again."""
        return (self._burst - self.left(now_ms)) / self._per_ms

    def _earn(self, now_ms: float) -> None:
        earned = (now_ms - self._at_ms) * self._per_ms
        self._left = min(self._burst, self._left + max(0.0, earned))
        self._at_ms = now_ms


class Buckets:
    """A bucket for each Connection, forgotten when it closes."""

    def __init__(self, per_second: float, burst: float) -> None:
        self._per_second = per_second
        self._burst = burst
        self._buckets: dict[str, Bucket] = {}

    def take(self, connection: str, now_ms: float) -> None:
        """Raises Refused rate_limited."""
        bucket = self._buckets.get(connection)
        if bucket is None:
            bucket = self._buckets[connection] = Bucket(self._per_second, self._burst, now_ms)
        bucket.take(now_ms)

    def forget(self, connection: str) -> None:
        """The Connection closed."""
        self._buckets.pop(connection, None)

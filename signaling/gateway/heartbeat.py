"""Whether a client is still there: a PING now and then, and its PONG in time."""

import asyncio
from collections.abc import Callable
from typing import Final

from signaling.gateway.config import GatewayConfig

MAX_STRAY_PONGS: Final = 16
"""PONGs nobody asked for, between two PINGs."""


class Heartbeat:
    """One timer, either until the next PING or until its PONG is overdue."""

    __slots__ = ("_config", "_late", "_paused", "_ping", "_strays", "_timer", "_waiting")

    def __init__(
        self, config: GatewayConfig, ping: Callable[[], None], late: Callable[[], None]
    ) -> None:
        # passed in
        self._config = config
        self._ping = ping
        self._late = late
        # made here
        self._paused = False
        """What the client sends is not read: by our own will, so its silence says nothing."""
        self._strays = 0
        self._timer: asyncio.TimerHandle | None = None
        self._waiting = False
        """A PONG is due."""

    def begin(self) -> None:
        """From now on, until `stop`."""
        self._waiting = False
        self._after(self._config.ping_interval_ms, self._beat)

    def pong(self) -> None:
        """It came. Raises ValueError for too many."""
        if self._waiting:
            self.begin()
            return
        self._strays += 1
        if self._strays > MAX_STRAY_PONGS:
            raise ValueError("too many PONGs")

    def pause(self) -> None:
        """The client is not read any more."""
        self._paused = True

    def resume(self) -> None:
        """It is read again. A PONG may have come long ago, and be read only now."""
        if self._paused and self._waiting:
            self._await_pong()
        self._paused = False

    def stop(self) -> None:
        """For good."""
        self._waiting = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _beat(self) -> None:
        self._strays = 0
        self._waiting = True
        self._await_pong()
        self._ping()

    def _await_pong(self) -> None:
        self._after(self._config.ping_timeout_ms, self._overdue)

    def _overdue(self) -> None:
        if self._paused:
            self._await_pong()
        else:
            self._late()

    def _after(self, delay_ms: int, then: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(delay_ms / 1000, then)

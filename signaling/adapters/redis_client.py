"""How this process talks to Redis: one failure, one answer; scripts by name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from signaling.errors import Refused

TIMEOUT_S = 3.0
LUA = Path(__file__).parent / "lua"


def connect(url: str, *, listening: bool = False) -> Redis:
    """A client that fails at once and never retries by itself; its callers know what to do. One
    that listens waits for what comes.
    """
    return Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=TIMEOUT_S,
        socket_timeout=None if listening else TIMEOUT_S,
    )


def script(client: Redis, name: str) -> AsyncScript:
    """A script of the `lua` folder, sent once and called by its digest."""
    return client.register_script((LUA / f"{name}.lua").read_text())


@contextmanager
def sending() -> Iterator[None]:
    """Raises OSError for a socket that was closed a moment ago; uvloop says RuntimeError then."""
    try:
        yield
    except RuntimeError as error:
        raise ConnectionError(str(error)) from error


@contextmanager
def answering() -> Iterator[None]:
    """Raises Refused unavailable when Redis does not answer."""
    try:
        with sending():
            yield
    except (RedisError, OSError, TimeoutError) as error:
        raise Refused("unavailable", "the shared state is away") from error

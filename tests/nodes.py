"""Two real processes that share a database and a Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.server import Server
from tests.redis_server import RedisServer

UNHURRIED = {"TOKENIM_GATEWAY_REQUEST_TIMEOUT_MS": "60000"}
"""One node may be slow to answer another."""


class TwoNodes:
    """`one` and `two` of the same app."""

    def __init__(self, folder: Path, **env: str) -> None:
        data = folder / "data"
        data.mkdir()
        self.redis = RedisServer(folder)
        env = {**UNHURRIED, "TOKENIM_REDIS_URL": self.redis.url, **env}
        self.one, self.two = (
            Server(data, module="tests.e2e.unhurried", TOKENIM_NODE=name, **env)
            for name in ("one", "two")
        )


@contextmanager
def two_nodes(folder: Path, **env: str) -> Iterator[TwoNodes]:
    """Started, and stopped at the end."""
    nodes = TwoNodes(folder, **env)
    try:
        nodes.redis.start()
        nodes.one.start()
        nodes.two.start()
        yield nodes
    finally:
        nodes.one.stop()
        nodes.two.stop()
        nodes.redis.kill()

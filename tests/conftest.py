"""What every test may ask for: real parts only, on 127.0.0.1 and ephemeral ports."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from signaling import dev
from signaling.app import Process
from signaling.config import load
from tests import said
from tests.fresh import fresh
from tests.memory import memory
from tests.patience import patient

# How fast an example runs is the machine's affair: a busy one must not fail a law.
settings.register_profile(
    "tokenim", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tokenim")


MEMORY_MIN_BYTES = 6 << 30


def pytest_configure() -> None:
    """`tmp_path` is in memory, where there is enough of it."""
    if (place := memory(MEMORY_MIN_BYTES)) is not None:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(place))


def required(reason: str) -> None:
    """Skip where a tool is missing on a developer's machine; fail where CI promised it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must provide it: {reason}")
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def collected(request: pytest.FixtureRequest) -> None:
    """What an earlier test left open is reported when it is collected: before a test that counts
    what is logged, not in it.
    """
    if "caplog" in request.fixturenames:
        gc.collect()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Whoever reads of a failure reads what servers and pages said, too."""
    report = yield
    if report.failed:
        report.sections += said.sections(call.start)
    return report


MakeProcess = Callable[..., Awaitable[Process]]

UNHURRIED = {
    f"gateway.{time}_ms": 60_000 for time in ("connect_timeout", "ping_timeout", "request_timeout")
}
"""A machine that stands still for seconds leaves clients their sockets, and requests their answers.
"""


@pytest.fixture
async def make_process(tmp_path: Path) -> AsyncIterator[MakeProcess]:
    """`await make_process(**{"limits.mentions": 3})`: a whole TokenIM in dev mode, listening.

    Those of one test share a data directory, so they are nodes of one database.
    """
    async with processes(tmp_path) as make:
        yield make


@asynccontextmanager
async def processes(tmp_path: Path) -> AsyncIterator[MakeProcess]:
    """What `make_process` gives, on the loop that enters this."""
    fresh(tmp_path / "data" / "tokenim.db")
    async with AsyncExitStack() as stack:
        stack.enter_context(patient())

        async def make(**options: object) -> Process:
            given = {
                "dev.enabled": True,
                "http.port": 0,
                "media.port": 0,
                "storage.data_dir": tmp_path / "data",
                "gateway.drain_ms": 0,
                **UNHURRIED,
                **options,
            }
            process = Process(dev.with_secrets(load(env={}, options=given)))
            await process.start()
            stack.push_async_callback(process.close)
            return process

        yield make


@pytest.fixture
async def process(make_process: MakeProcess) -> Process:
    """One whole TokenIM in dev mode; `process.url` is where it listens."""
    return await make_process()

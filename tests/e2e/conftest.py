"""Real server, real Chromium, fake devices."""

import os
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Playwright, async_playwright

from tests.conftest import required
from tests.e2e.person import Person
from tests.e2e.server import Redis, Server

CHROMIUM = "/usr/bin/chromium"
ARGS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]

Arrive = Callable[..., Awaitable[Person]]


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for tests that do not hurt it; each test uses its own room."""
    # It rings for long: on a busy machine the third of a group may need a minute to answer.
    one = Server(tmp_path_factory.mktemp("data"), TOKENIM_MEDIA_RING_MS="300000")
    one.start()
    yield one
    one.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server that a test may kill."""
    one = Server(tmp_path)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def two_nodes(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """Two processes that share users through Redis and one database."""
    if shutil.which("redis-server") is None:
        required("redis-server is not installed")
    redis = Redis(tmp_path, _free_port())
    redis.wait()
    nodes = tuple(Server(tmp_path, TOKENIM_REDIS_URL=redis.url) for _ in range(2))
    for node in nodes:
        node.start()
    yield nodes[0], nodes[1]
    for node in nodes:
        node.stop()
    redis.stop()


@pytest.fixture
def room(request: pytest.FixtureRequest) -> str:
    """A room of this test's own."""
    return f"{request.node.name}-{os.getpid()}"[:60]


@pytest.fixture
async def playwright() -> AsyncIterator[Playwright]:
    if shutil.which(CHROMIUM) is None:
        required("Chromium is not installed")
    async with async_playwright() as api:
        yield api


@pytest.fixture
async def launch(playwright: Playwright) -> AsyncIterator[Callable[..., Awaitable[Browser]]]:
    """Start more browsers, with more options."""
    browsers: list[Browser] = []

    async def start(*more: str, without: tuple[str, ...] = ()) -> Browser:
        args = [arg for arg in [*ARGS, *more] if arg not in without]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        browsers.append(browser)
        return browser

    yield start
    for browser in browsers:
        await browser.close()


@pytest.fixture
async def arrive(launch: Callable[..., Awaitable[Browser]]) -> AsyncIterator[Arrive]:
    """People in one browser, each in a context of their own. Afterwards: no page had an error."""
    browser = await launch()
    people: list[Person] = []

    async def come(name: str, **options: object) -> Person:
        person = await Person.arrive(browser, name, **options)
        people.append(person)
        return person

    yield come
    assert {person.name: person.errors for person in people if person.errors} == {}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

"""Real server, real Chromium, fake devices."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Playwright, async_playwright, expect

from signaling.app import Process
from tests import nodes
from tests.conftest import processes, required
from tests.e2e.person import WAIT_MS, Person
from tests.e2e.server import Server

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

LONG_MS = "300000"
"""A call rings so long: on a busy machine the third of a group may need a minute to answer. And so
long a Participant may be without a socket: whether they come back in time is not the question."""
BROWSER_TIMEOUT_MS = 120_000
expect.set_options(timeout=WAIT_MS)

Arrive = Callable[..., Awaitable[Person]]


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for tests that do not hurt it; each test uses its own room."""
    one = Server(
        tmp_path_factory.mktemp("data"),
        TOKENIM_MEDIA_RING_MS=LONG_MS,
        TOKENIM_MEDIA_GRACE_MS=LONG_MS,
    )
    one.start()
    yield one
    one.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server that a test may kill."""
    one = Server(tmp_path, TOKENIM_MEDIA_RING_MS=LONG_MS)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def two_nodes(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """Two processes that share users through Redis and one database."""
    with nodes.two_nodes(tmp_path) as both:
        yield both.one, both.two


@pytest.fixture
def room(request: pytest.FixtureRequest) -> str:
    """A room of this test's own."""
    return f"{request.node.name}-{os.getpid()}"[:60]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever uses a browser runs on the loop that the browsers of all are driven from."""
    for item in items:
        if "playwright" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


class Chromium:
    """The browser of all tests that need no other; started anew if one of them broke it."""

    def __init__(self, api: Playwright) -> None:
        # passed in
        self._api = api
        # made here
        self._browser: Browser | None = None

    async def launch(self, *more: str, without: tuple[str, ...] = ()) -> Browser:
        """A browser that its caller closes."""
        args = [arg for arg in [*ARGS, *more] if arg not in without]
        return await self._api.chromium.launch(
            executable_path=CHROMIUM, args=args, timeout=BROWSER_TIMEOUT_MS
        )

    async def shared(self) -> Browser:
        """The one of all."""
        if self._browser is None or not self._browser.is_connected():
            self._browser = await self.launch()
        return self._browser

    async def close(self) -> None:
        """The one of all ends."""
        if self._browser is not None:
            await self._browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    if shutil.which(CHROMIUM) is None:
        required("Chromium is not installed")
    async with async_playwright() as api:
        yield api


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(playwright: Playwright) -> AsyncIterator[Chromium]:
    one = Chromium(playwright)
    yield one
    await one.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromium: Chromium) -> Browser:
    """The browser of all tests; each makes contexts of its own, and closes them."""
    return await chromium.shared()


@pytest_asyncio.fixture(loop_scope="session")
async def launch(chromium: Chromium) -> AsyncIterator[Callable[..., Awaitable[Browser]]]:
    """Start browsers of this test's own, with more options, or to be killed."""
    browsers: list[Browser] = []

    async def start(*more: str, without: tuple[str, ...] = ()) -> Browser:
        browsers.append(await chromium.launch(*more, without=without))
        return browsers[-1]

    yield start
    for one in browsers:
        await one.close()


@pytest_asyncio.fixture(loop_scope="session")
async def come(browser: Browser) -> AsyncIterator[Arrive]:
    """People, each in a context of their own."""
    people: list[Person] = []

    async def come(name: str, **options: object) -> Person:
        people.append(await Person.arrive(browser, name, **options))
        return people[-1]

    yield come
    for person in people:
        await person.context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def arrive(come: Arrive) -> AsyncIterator[Arrive]:
    """The same. Afterwards: no page had an error."""
    people: list[Person] = []

    async def arrive(name: str, **options: object) -> Person:
        people.append(await come(name, **options))
        return people[-1]

    yield arrive
    assert {person.name: person.errors for person in people if person.errors} == {}


@pytest_asyncio.fixture(loop_scope="session")
async def process(tmp_path: Path) -> AsyncIterator[Process]:
    """One whole TokenIM in dev mode, on the loop of the browsers."""
    async with processes(tmp_path) as make:
        yield await make()

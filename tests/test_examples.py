"""The examples, run as a newcomer would run them."""

import asyncio
import functools
import os
import shutil
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Route, async_playwright

from signaling.client import Client
from tests.conftest import required
from tests.e2e.conftest import ARGS, BROWSER_TIMEOUT_MS, CHROMIUM
from tests.e2e.person import Person
from tests.e2e.server import Server
from tests.wire_client import demo_token

EXAMPLES = Path(__file__).parents[1] / "examples"
WAIT_S = 120


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing."""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """Some other web server, with the examples."""
    handler = functools.partial(Quiet, directory=str(EXAMPLES))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, origin: str) -> Iterator[Server]:
    one = Server(tmp_path_factory.mktemp("examples"), TOKENIM_GATEWAY_ORIGINS=origin)
    one.start()
    yield one
    one.stop()


@asynccontextmanager
async def running(server: Server, user: str, script: str, **env: str) -> AsyncIterator[None]:
    """A Python example, once it has said its first line."""
    given = {"TOKEN": demo_token(server.url, user), "TOKENIM_URL": server.url}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLES / script),
        env={**os.environ, **given, **env, "PYTHONPATH": str(EXAMPLES.parent)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(WAIT_S):
            assert await process.stdout.readline()
        yield
    finally:
        process.kill()
        await process.communicate()


def person(server: Server, user: str) -> Client:
    return Client(server.url, demo_token(server.url, user), device="test", timeout_s=WAIT_S)


async def heard(client: Client, **fields: Any) -> dict[str, Any]:
    """The next event with these fields."""
    async with asyncio.timeout(WAIT_S):
        async for event in client.events():
            if all(event.get(name) == value for name, value in fields.items()):
                return event
    raise AssertionError("unreachable")


def test_each_is_short() -> None:
    for path in (*EXAMPLES.glob("*.py"), *EXAMPLES.glob("*.html")):
        assert len(path.read_text().splitlines()) < 60, path.name


async def test_the_echo_bot_answers(server: Server) -> None:
    async with running(server, "echo", "echo_bot.py"), person(server, "ear") as ear:
        lobby = await ear.request("conversation:join", alias="lobby", create=True)
        sent = await ear.send(lobby["conversation"]["id"], {"text": "anybody?"})
        assert (await heard(ear, reply_to=sent["seq"]))["body"] == {"text": "anybody?"}


async def test_the_support_desk_finds_an_agent_and_closes_the_case(server: Server) -> None:
    async with (
        running(server, "desk", "support_desk.py", AGENTS="bob"),
        person(server, "ann") as ann,
        person(server, "bob") as bob,
    ):
        direct = {"type": "direct", "members": ["desk"], "client_id": "d1"}
        talk = (await ann.request("conversation:create", **direct))["conversation"]["id"]
        await ann.send(talk, {"text": "it is broken"})
        await heard(ann, conversation=talk, body={"text": "bob will answer you."})
        asked = await heard(bob, type="message:created", body={"text": "it is broken"})
        assert asked["mentions"] == ["bob"]
        case = asked["conversation"]
        await bob.send(case, {"text": "have you tried turning it off?"})
        await heard(ann, conversation=case, sender="bob")
        await bob.send(case, {"text": "/close"})
        await heard(ann, conversation=case, body={"text": "This case is closed."})
        await heard(ann, conversation=case, type="conversation:updated")


async def test_the_chat_page_talks_from_another_origin(server: Server, origin: str) -> None:
    if shutil.which(CHROMIUM) is None:
        required("Chromium is not installed")
    async with (
        async_playwright() as api,
        person(server, "listener") as listener,
        await api.chromium.launch(
            executable_path=CHROMIUM, args=ARGS, timeout=BROWSER_TIMEOUT_MS
        ) as browser,
    ):
        lobby = await listener.request("conversation:join", alias="lobby", create=True)
        page = await browser.new_page()
        page.set_default_timeout(WAIT_S * 1000)
        visitor = Person("the chat page", page.context, page)
        typed = asyncio.Event()

        async def late(route: Route) -> None:
            await typed.wait()
            await route.continue_()

        await page.route("**/js/sdk/index.js", late)
        await page.goto(f"{origin}/chat.html?server={server.url}&name=Page", wait_until="commit")
        assert await page.get_by_role("button").is_disabled(), "nobody would hear of it yet"
        typed.set()
        await page.get_by_role("status").get_by_text("online").wait_for()
        await page.get_by_role("textbox").fill("from a page")
        await page.get_by_role("button").click()
        await heard(listener, body={"text": "from a page"})
        await listener.send(lobby["conversation"]["id"], {"text": "to a page"})
        await page.get_by_text("to a page").wait_for()
        assert visitor.errors_but("404") == []  # there is no favicon

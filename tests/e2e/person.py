"""Someone in front of a browser: what they do, and what they can see."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    expect,
)

from tests.said import Said

WAIT_MS = 60_000
MARKS = ("sent", "delivered", "read")

PROBE = Path(__file__).parent / "probe.js"

STATE = """() => ({
  text: document.body.innerText.slice(0, 500),
  client: globalThis.tokenim?.client?.state,
  room: globalThis.tokenim?.room?.state,
  asked: performance.getEntriesByType("resource").slice(-8)
    .map((one) => [one.name, one.responseStatus]),
})"""
"""What a page is up to."""


class Person:
    """One page in a browser context of its own; collects every error the page has."""

    def __init__(self, name: str, context: BrowserContext, page: Page) -> None:
        # passed in
        self.name = name
        self.context = context
        self.page = page
        # made here
        self.errors: list[str] = []
        self._said = Said(f"the page of {name}")
        page.on("pageerror", self._failed)
        page.on("console", self._console)
        page.on("close", self._closed)

    @classmethod
    async def arrive(cls, browser: Browser, name: str, **options: Any) -> "Person":
        """A new visitor who has not opened the page yet."""
        defaults: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "locale": "en-US"}
        context = await browser.new_context(**{**defaults, **options})
        context.set_default_timeout(WAIT_MS)
        await context.add_init_script(path=PROBE)
        return cls(name, context, await context.new_page())

    async def join(self, url: str, room: str, **more: str) -> None:
        """Follow a link that joins at once, and wait until the call stands."""
        query = urlencode({"room": room, "name": self.name, "quality": "low", **more})
        await self.page.goto(f"{url}/#{query}")
        await self.in_room()

    async def in_room(self) -> None:
        """Until the room is joined, and media can go both ways."""
        await self.until("() => globalThis.tokenim?.room?.state === 'joined'")
        await self.until("probe.linked")

    async def until(self, condition: str, argument: Any = None) -> None:
        """Until a JavaScript condition holds in the page; it may be async.

        `wait_for_function` would take the promise itself for a yes.
        """
        try:
            async with asyncio.timeout(WAIT_MS / 1000):
                while not await self._holds(condition, argument):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{condition} does not hold: {await self._state()}") from None

    async def _state(self) -> str:
        """For the report of what did not happen."""
        try:
            async with asyncio.timeout(WAIT_MS / 1000):
                return f"{await self.page.evaluate(STATE)} {self.errors}"
        except (Error, TimeoutError) as error:
            return f"the page does not answer: {error!r} {self.errors}"

    async def _holds(self, condition: str, argument: Any) -> bool:
        try:
            return bool(await self.page.evaluate(condition, argument))
        except Error as error:
            if "Execution context was destroyed" in error.message:  # the page is being reloaded
                return False
            raise

    # What they do

    def button(self, name: str) -> Locator:
        """A button by its accessible name."""
        return self.page.get_by_role("button", name=name, exact=True)

    async def say(self, text: str) -> None:
        """Write and send a message."""
        box = self.page.get_by_role("textbox", name="Write a message")
        await box.fill(text)
        await box.press("Enter")

    async def attach(self, name: str, mime_type: str, content: bytes) -> None:
        """Send a file by the file picker."""
        file: Any = {"name": name, "mimeType": mime_type, "buffer": content}
        await self.page.locator(".composer input[type=file]").set_input_files(file)

    async def fetched_hash(self, name: str) -> str:
        """Download a file of the log; the sha256 of what was saved."""
        async with self.page.expect_download() as download:
            await self.button(f"Download {name}").click()
        path = await (await download.value).path()
        return hashlib.sha256(path.read_bytes()).hexdigest()

    # What they see

    def message(self, text: str) -> Locator:
        """The line of the log with this text."""
        return self.page.locator(".message", has_text=text)

    async def reads(self, text: str) -> None:
        """Until a message is in the log, once."""
        await expect(self.message(text)).to_have_count(1, timeout=WAIT_MS)

    async def marked(self, text: str, mark: str) -> None:
        """Until an own message is sent, delivered or read; what is further along is that too."""
        reached = ", ".join(f'[data-mark="{one}"]' for one in MARKS[MARKS.index(mark) :])
        await expect(self.message(text).locator(reached)).to_be_visible(timeout=WAIT_MS)

    def tile(self, label: str) -> Locator:
        """A tile by the start of its label."""
        return self.page.locator(f'.tile[aria-label^="{label}"]')

    async def was_shown(self, where: str, text: str) -> None:
        """Until this has been shown there, though it may be gone again: `.toast` or `.typing`."""
        await self.until("probe.wasShown", [where, text])

    async def sees_people(self, count: int) -> None:
        """Until so many are in the call."""
        await self.until("count => tokenim.room.participants.size === count", count)

    async def sees_video_of(self, count: int) -> None:
        """Until frames of exactly so many remote videos are decoded, and go on being."""
        await self.until("probe.framesGrow", [count, {}])
        await self.until("probe.framesGrow", [count, await self.page.evaluate("probe.frames()")])

    async def hears(self, count: int) -> None:
        """Until exactly so many remote voices have energy."""
        await self.until("probe.voices", count)

    def _failed(self, error: Error) -> None:
        self.errors.append(str(error))
        self._said.hear(f"uncaught: {error}")

    def _closed(self, _: Page) -> None:
        self._said.over = True

    def _console(self, message: ConsoleMessage) -> None:
        self._said.hear(f"{message.type}: {message.text}")
        if message.type == "error":
            self.errors.append(message.text)

    def errors_but(self, *expected: str) -> list[str]:
        """Errors that contain none of the expected words."""
        return [error for error in self.errors if not any(word in error for word in expected)]

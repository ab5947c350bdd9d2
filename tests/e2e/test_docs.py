"""The documentation pages in a real browser: readable at both ends of width and light."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from signaling.app import Process
from tests.e2e.person import WAIT_MS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

WIDE = "() => document.documentElement.scrollWidth - innerWidth"
SHOTS = os.environ.get("TOKENIM_SHOTS", "")
PAGES = {"/docs": "REST", "/docs/events": "Socket.IO", "/docs/errors": "Errors"}


async def test_every_page_fits_and_says_nothing_wrong(browser: Browser, process: Process) -> None:
    async with await browser.new_page() as page:
        await look_at(page, process.url)


async def look_at(page: Page, url: str) -> None:
    page.set_default_timeout(WAIT_MS)
    errors: list[str] = []
    hosts: set[str] = set()
    page.on("console", lambda said: errors.append(said.text))
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    for path, title in PAGES.items():
        await page.goto(url + path)
        await expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
        first = page.locator("details").first
        if path != "/docs/errors":
            await first.locator("summary").focus()
            await page.keyboard.press("Enter")
            await expect(first).to_have_attribute("open", "")
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            for width in (1280, 390):
                await page.set_viewport_size({"width": width, "height": 844})
                assert await page.evaluate(WIDE) <= 0, (path, width)
                if SHOTS:
                    await page.screenshot(path=Path(SHOTS) / f"docs-{title}-{scheme}-{width}.png")
    assert errors == []
    assert hosts == {url.split("/")[2]}

"""The console in a real browser: signing in, keys, users, conversations, webhooks, usage."""

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import Browser, Page, expect

from signaling.app import Process
from signaling.auth.registry import IssuedKey
from tests.e2e.person import WAIT_MS, Person
from tests.signaling.http.callers import server_of

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SCOPES = ("admin", "operator", "read", "tokens", "write")
SECTIONS = (
    "Usage", "Users", "Conversations", "API keys", "Webhooks", "Moderation", "Settings", "Apps",
)  # fmt: skip
WIDE = """() => document.documentElement.scrollWidth - innerWidth"""
SHOTS = os.environ.get("TOKENIM_SHOTS", "")


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, process: Process) -> AsyncIterator[Page]:
    context = await browser.new_context(locale="en", color_scheme="light")
    await context.grant_permissions(["clipboard-read", "clipboard-write"], origin=process.url)
    page = await context.new_page()
    page.set_default_timeout(WAIT_MS)
    operator = Person("the operator", context, page)
    yield page
    await context.close()
    assert operator.errors_but("404", "401") == []


@pytest_asyncio.fixture(loop_scope="session")
async def key(process: Process) -> IssuedKey:
    await process.registry.create_app("Tea house", "tea")
    return await process.registry.create_key("tea", "console", SCOPES)


async def furnish(process: Process) -> None:
    async with ClientSession(process.url) as client:
        server = await server_of(process, client, "tea")
        for user in ("ann", "bob"):
            await process.guarding.tokens.mint((await _signing(process)), user)
        wish = {"type": "group", "title": "Green tea", "client_id": "1", "members": ["bob"]}
        _, made = await server("POST", "/v1/conversations?as=ann", wish)
        path = f"/v1/conversations/{made['conversation']['id']}/messages?as=ann"
        for number in range(3):
            text = {"type": "text", "client_id": str(number), "body": {"text": "hello"}}
            await server("POST", path, text)
        await server("POST", "/v1/webhooks", {"url": "https://example.com/hook"})
    users = process.people
    for user, name in (("ann", "Ann"), ("bob", "Bob 王")):
        await users.seen("tea", user, f"{user}-phone", name, 1_790_000_000_000)


async def _signing(process: Process) -> str:
    return (await process.registry.create_key("tea", "signer", ("tokens",))).key.id


async def sign_in(page: Page, process: Process, key: IssuedKey) -> None:
    await page.goto(f"{process.url}/console")
    await page.get_by_label("API key").fill(key.key.id)
    await page.get_by_label("Secret").fill(key.secret)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("navigation")).to_be_visible()


async def shoot(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


async def test_a_wrong_secret_stays_outside(page: Page, process: Process, key: IssuedKey) -> None:
    await page.goto(f"{process.url}/console")
    await expect(page.get_by_label("API key")).to_be_focused()
    await page.get_by_label("API key").fill(key.key.id)
    await page.get_by_label("Secret").fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("This key and secret do not fit.")
    assert await page.evaluate("() => [sessionStorage.length, localStorage.length]") == [0, 0]
    await shoot(page, "sign-in")


async def test_every_section_at_every_size(page: Page, process: Process, key: IssuedKey) -> None:
    await furnish(process)
    await sign_in(page, process, key)
    for theme in ("light", "dark"):
        await page.emulate_media(color_scheme=theme)
        for width in (1280, 390):
            await page.set_viewport_size({"width": width, "height": 844})
            for section in SECTIONS:
                await page.get_by_role("link", name=section, exact=True).click()
                heading = page.get_by_role("heading", name=section, level=1)
                await expect(heading).to_be_visible()
                await expect(page.get_by_text("Loading…")).to_have_count(0)
                assert await page.evaluate(WIDE) <= 0, (section, width)
                await shoot(page, f"{section.lower().replace(' ', '-')}-{theme}-{width}")


async def test_a_key_is_made_shown_once_rotated_and_revoked(
    page: Page, process: Process, key: IssuedKey
) -> None:
    await sign_in(page, process, key)
    await page.get_by_role("link", name="API keys").click()
    await page.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("What it is for").fill("robot")
    await dialog.get_by_label(re.compile("^write")).uncheck()
    await dialog.get_by_role("button", name="Create").click()
    shown = page.get_by_role("dialog", name="robot")
    await shown.get_by_role("button", name="Copy").nth(1).click()
    await expect(page.locator("[role=status]")).to_have_text("Copied")
    secret = await page.evaluate("() => navigator.clipboard.readText()")
    name = await shown.locator("code").first.inner_text()
    await shoot(page, "secret")
    await shown.get_by_role("button", name="Done").click()
    assert (await process.registry.authenticate(name, secret)).scopes == ("read", "tokens")
    row = page.get_by_role("row").filter(has_text="robot")
    await expect(row).to_contain_text("live")
    assert secret not in await page.content()
    await row.get_by_role("button", name="Rotate").click()
    await page.get_by_role("dialog").get_by_role("button", name="Rotate").click()
    await page.get_by_role("dialog", name="robot").get_by_role("button", name="Done").click()
    await expect(row).to_have_count(2)
    await expect(row.filter(has_text="until")).to_have_count(1)
    await row.filter(has_text="live").get_by_role("button", name="Revoke").click()
    await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    await expect(row.filter(has_text="revoked")).to_have_count(1)


async def test_a_user_is_found_and_signed_out(page: Page, process: Process, key: IssuedKey) -> None:
    await furnish(process)
    await sign_in(page, process, key)
    await page.get_by_role("link", name="Users", exact=True).click()
    await page.get_by_role("searchbox").fill("王")
    await expect(page.get_by_role("link", name="Ann")).to_have_count(0)
    await page.get_by_role("link", name="Bob 王").click()
    await expect(page.get_by_text("bob-phone")).to_be_visible()
    await shoot(page, "user")
    await page.get_by_role("cell").get_by_role("button", name="Sign out").click()
    await expect(page.get_by_text("signed out")).to_be_visible()
    await page.get_by_role("button", name="Sign out everywhere").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_conversation_and_its_members(page: Page, process: Process, key: IssuedKey) -> None:
    await furnish(process)
    await sign_in(page, process, key)
    await page.get_by_role("link", name="Conversations", exact=True).click()
    await page.get_by_role("link", name="Green tea").click()
    await expect(page.get_by_role("heading", name="Green tea")).to_be_visible()
    await expect(page.get_by_role("row").filter(has_text="owner")).to_contain_text("ann")


async def test_settings_are_kept_and_an_app_is_registered(
    page: Page, process: Process, key: IssuedKey
) -> None:
    await sign_in(page, process, key)
    await page.get_by_role("link", name="Settings").click()
    await page.get_by_label("Name").fill("Tea room")
    await page.get_by_label("Pages that may connect").fill("https://tea.example.com")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("[role=status]")).to_have_text("Saved")  # hidden again or not
    app = await process.registry.app("tea")
    assert (app.name, app.settings["origins"]) == ("Tea room", ["https://tea.example.com"])
    await page.get_by_role("link", name="Apps", exact=True).click()
    await page.get_by_role("button", name="New app").click()
    await page.get_by_role("dialog").get_by_label("Name").fill("Coffee")
    await page.get_by_role("button", name="Create").click()
    await page.get_by_role("dialog", name="Coffee").get_by_role("button", name="Done").click()
    await expect(page.get_by_role("row").filter(has_text="Coffee")).to_be_visible()


async def test_it_speaks_chinese_and_forgets_the_secret(
    page: Page, process: Process, key: IssuedKey
) -> None:
    await sign_in(page, process, key)
    await page.get_by_role("button", name="中文").click()
    await expect(page.get_by_role("link", name="用量")).to_be_visible()
    assert await page.evaluate("() => document.documentElement.lang") == "zh-Hans"
    await expect(page.get_by_text("本月")).to_be_visible()
    await shoot(page, "chinese")
    await page.reload()
    await page.get_by_role("button", name="退出").click()
    await expect(page.get_by_label("API 密钥")).to_be_visible()
    assert await page.evaluate("() => sessionStorage.length") == 0


async def test_a_reading_key_sees_what_it_may(page: Page, process: Process) -> None:
    await process.registry.create_app("Tea house", "tea")
    reader = await process.registry.create_key("tea", "reader", ("read",))
    await sign_in(page, process, reader)
    names = await page.get_by_role("navigation").get_by_role("link").all_inner_texts()
    assert [name.strip() for name in names] == ["Usage", "Users", "Conversations"]

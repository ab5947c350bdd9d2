"""The page itself: before the call, by keyboard, in two languages, on small screens."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.conftest import Arrive
from tests.e2e.person import Person
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

CHAT_ONLY = {"camera": "0", "microphone": "0"}

NAMELESS = """() => [...document.querySelectorAll('button, input, select, textarea, [role=tab]')]
  .filter(one => one.checkVisibility())
  .filter(one => !(one.ariaLabel || one.textContent.trim() || one.labels?.length))
  .map(one => one.outerHTML.slice(0, 120))"""


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until the element with this name has the focus."""
    named = page.get_by_role("button", name=name, exact=True).or_(
        page.get_by_label(name, exact=True)
    )
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await named.first.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"the keyboard does not reach {name!r}")


async def test_joining_and_writing_by_keyboard_alone(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann = await arrive("Ann")
    page = ann.page
    await page.goto(f"{server.url}/#room={room}&quality=low")
    await expect(page.get_by_label("Your name")).to_be_focused()
    await page.keyboard.type("Ann")
    await tab_to(page, "Join with chat only")
    await page.keyboard.press("Enter")
    await ann.in_room()
    await page.keyboard.press("c")
    await page.keyboard.type("by keyboard")
    await page.keyboard.press("Enter")
    await ann.marked("by keyboard", "sent")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Shift+?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.locator("body").focus()
    await tab_to(page, "Leave")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Ready to join?")).to_be_visible()


async def test_the_preview_shows_the_camera_and_the_level(server: Server, arrive: Arrive) -> None:
    page = (await arrive("Ann")).page
    await page.goto(f"{server.url}/#quality=low")
    await page.wait_for_function(
        "() => document.querySelector('.preview video')?.videoWidth === 640"
    )
    level = "one => Number(one.style.getPropertyValue('--done')) > 0"
    meter = await page.locator(".meter .progress").element_handle()
    await page.wait_for_function(level, arg=meter)
    await expect(page.get_by_label("Camera", exact=True).locator("option")).not_to_have_count(0)
    await page.get_by_role("button", name="Turn camera off").click()
    await expect(page.get_by_text("Camera is off")).to_be_visible()


async def test_every_control_has_a_name(server: Server, arrive: Arrive, room: str) -> None:
    ann = await arrive("Ann")
    await ann.page.goto(server.url)
    await expect(ann.button("Join")).to_be_visible()
    assert await ann.page.evaluate(NAMELESS) == []
    await ann.page.goto("about:blank")
    await ann.join(server.url, room)
    await ann.say("hello")
    await ann.marked("hello", "sent")
    await ann.message("hello").hover()
    assert await ann.page.evaluate(NAMELESS) == []
    await ann.button("People").click()
    assert await ann.page.evaluate(NAMELESS) == []
    await ann.button("Settings").click()
    assert await ann.page.evaluate(NAMELESS) == []


async def test_new_messages_are_announced(server: Server, arrive: Arrive, room: str) -> None:
    ann, bo = await arrive("Ann"), await arrive("Bo")
    await ann.join(server.url, room, **CHAT_ONLY)
    await bo.join(server.url, room, **CHAT_ONLY)
    await ann.say("can you hear this?")
    await expect(bo.page.locator("#announcer")).to_contain_text("Ann: can you hear this?")


async def test_both_languages_and_the_choice_is_remembered(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann = await arrive("Ann", locale="zh-CN")
    await ann.page.goto(server.url)
    await expect(ann.page.get_by_role("heading", name="准备好加入了吗？")).to_be_visible()
    await ann.button("English").click()
    await expect(ann.page.get_by_role("heading", name="Ready to join?")).to_be_visible()
    await ann.page.reload()
    await expect(ann.page.get_by_role("heading", name="Ready to join?")).to_be_visible()
    await ann.page.goto("about:blank")
    await ann.join(server.url, room, **CHAT_ONLY)
    await ann.button("Settings").click()
    await ann.button("简体中文").click()
    await ann.page.keyboard.press("Escape")
    await expect(ann.button("离开")).to_be_visible()
    assert await ann.page.locator("html").get_attribute("lang") == "zh-Hans"


async def test_a_small_screen_has_no_sideways_scrolling(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann = await arrive("Ann", viewport={"width": 390, "height": 844}, color_scheme="dark")
    wide = "() => document.documentElement.scrollWidth > innerWidth"
    await ann.page.goto(server.url)
    await expect(ann.button("Join")).to_be_visible()
    assert not await ann.page.evaluate(wide)
    await ann.page.goto("about:blank")
    await ann.join(server.url, room)
    for name in ("Mute microphone", "Turn camera off", "Chat", "People", "Leave"):
        await expect(ann.button(name)).to_be_in_viewport(ratio=1)
    await ann.button("Chat").click()
    await ann.say("long " * 100 + "unbroken" * 40)
    assert not await ann.page.evaluate(wide)
    assert await ann.page.locator("html").get_attribute("data-theme") == "dark"


async def test_without_devices_there_is_chat(
    server: Server, launch: Callable[..., Awaitable[Browser]], room: str
) -> None:
    fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    browser = await launch("--deny-permission-prompts", without=fake)
    ann = await Person.arrive(browser, "Ann")
    await ann.page.goto(f"{server.url}/#room={room}")
    await ann.page.get_by_label("Your name").fill("Ann")
    await expect(ann.page.get_by_text("You can still join and use chat.")).to_be_visible()
    await ann.button("Join").click()
    await ann.in_room()
    await ann.say("only words")
    await ann.marked("only words", "sent")
    assert ann.errors == []


async def test_nothing_is_loaded_from_elsewhere(server: Server, arrive: Arrive, room: str) -> None:
    ann = await arrive("Ann")
    foreign: list[str] = []
    ann.page.on(
        "request",
        lambda request: (
            None if request.url.startswith((server.url, "blob:")) else foreign.append(request.url)
        ),
    )
    await ann.join(server.url, room)
    assert foreign == []

"""People name each other, find what was said, and keep it in sight; a reload reads little."""

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Arrive
from tests.e2e.person import Person
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

CHAT_ONLY = {"camera": "0", "microphone": "0"}


PATIENT = """
  const plain = setTimeout;
  globalThis.setTimeout = (run, ms, ...more) => plain(run, ms === 2_000 ? 300_000 : ms, ...more);
"""
"""The browser's storage may take as long as it likes."""


async def two(server: Server, arrive: Arrive, room: str) -> tuple[Person, Person]:
    ann, bo = await arrive("Ann"), await arrive("Bo")
    await ann.join(server.url, room, **CHAT_ONLY)
    await bo.join(server.url, room, **CHAT_ONLY)
    await ann.sees_people(2)
    return ann, bo


async def test_a_name_is_completed_and_its_bearer_told(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await two(server, arrive, room)
    await bo.button("Close").click()
    box = ann.page.get_by_role("textbox", name="Write a message")
    await box.press_sequentially("have a look, @b")
    option = ann.page.get_by_role("option", name="Bo")
    await expect(option).to_have_attribute("aria-selected", "true")
    await box.press("Enter")
    await expect(box).to_have_value("have a look, @Bo ")
    await box.press("Enter")
    await bo.was_shown(".toast", "Ann mentioned you")
    await bo.button("Chat, 1 unread").click()
    await expect(bo.page.locator(".mention.own")).to_have_text("@Bo")
    await expect(ann.page.locator(".mention")).to_have_text("@Bo")


async def test_a_message_is_found_by_its_words(server: Server, arrive: Arrive, room: str) -> None:
    ann, bo = await two(server, arrive, room)
    for text in ("the harbour at night", "something else", "明天上午十点开会"):
        await ann.say(text)
        await bo.reads(text)
    field = bo.page.get_by_role("searchbox", name="Search messages")
    results = bo.page.get_by_role("list", name="Search results")
    await field.fill("harbour")
    await expect(results.get_by_role("button")).to_have_count(1)
    await field.fill("十点开")
    await expect(results).to_contain_text("明天上午十点开会")
    await results.get_by_role("button").click()
    await expect(bo.page.locator(".message:focus")).to_contain_text("明天上午十点开会")
    await expect(results).to_be_hidden()
    await field.fill("nowhere to be found")
    await expect(results).to_contain_text("No message has these words.")
    await field.press("Escape")
    await expect(bo.page.get_by_role("region", name="Messages")).to_be_visible()


async def test_a_pinned_message_stays_in_sight(server: Server, arrive: Arrive, room: str) -> None:
    ann, bo = await two(server, arrive, room)
    await ann.say("the rules of the house")
    own = ann.message("the rules of the house")
    await ann.marked("the rules of the house", "read")
    await own.hover()
    await own.get_by_role("button", name="Pin for everyone").click()
    for one in (ann, bo):
        pinned = one.page.get_by_role("button", name="Pinned: the rules of the house")
        await expect(pinned).to_be_visible()
    await bo.message("the rules of the house").hover()
    await expect(bo.page.get_by_role("button", name="Unpin")).to_have_count(0)  # Not theirs to do.
    await own.hover()
    await own.get_by_role("button", name="Unpin").click()
    await expect(bo.page.locator(".pins")).to_be_hidden()


async def test_a_reload_reads_only_what_is_new(server: Server, arrive: Arrive, room: str) -> None:
    ann, bo = await two(server, arrive, room)
    await ann.context.add_init_script(PATIENT)
    for number in range(5):
        await ann.say(f"line {number}")
    await ann.reads("line 4")
    await ann.marked("line 4", "read")
    await ann.page.goto("about:blank")
    await bo.say("while Ann was away")
    asked: list[str] = []
    ann.page.on(
        "websocket",
        lambda socket: socket.on("framesent", lambda frame: asked.append(str(frame))),
    )
    await ann.join(server.url, room, **CHAT_ONLY)
    await ann.reads("while Ann was away")
    await ann.reads("line 0")
    pages = [frame for frame in asked if "history:get" in frame]
    assert pages
    assert all('"after":' in frame for frame in pages)

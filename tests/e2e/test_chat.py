"""People write to each other, and send files."""

import hashlib
import random

import pytest
from playwright.async_api import Request, expect

from tests.e2e.conftest import Arrive
from tests.e2e.person import Person
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

CHAT_ONLY = {"camera": "0", "microphone": "0"}
# In one go: near the top they come by themselves too, and then the button is gone.
ALL_EARLIER = """() => {
  const button = document.querySelector(".load-older");
  button.click();
  return button.hidden;
}"""


async def two(server: Server, arrive: Arrive, room: str, **more: str) -> tuple[Person, Person]:
    ann, bo = await arrive("Ann"), await arrive("Bo")
    await ann.join(server.url, room, **more)
    await bo.join(server.url, room, **more)
    return ann, bo


async def test_messages_go_both_ways_and_are_marked_as_read(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await two(server, arrive, room, **CHAT_ONLY)
    await ann.say("hello from Ann")
    await bo.reads("hello from Ann")
    await ann.marked("hello from Ann", "read")
    await bo.say("hello from Bo")
    await ann.reads("hello from Bo")
    await bo.marked("hello from Bo", "read")


async def test_a_message_is_delivered_before_it_is_read(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await two(server, arrive, room, **CHAT_ONLY)
    await bo.button("Close").click()
    await ann.say("are you there?")
    await ann.marked("are you there?", "delivered")
    await bo.button("Chat, 1 unread").click()
    await ann.marked("are you there?", "read")


async def test_typing_is_seen(server: Server, arrive: Arrive, room: str) -> None:
    ann, bo = await two(server, arrive, room, **CHAT_ONLY)
    await ann.page.get_by_role("textbox", name="Write a message").press_sequentially("hm")
    await bo.was_shown(".typing", "Ann is typing…")


async def test_messages_are_answered_changed_taken_back_and_reacted_to(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await two(server, arrive, room, **CHAT_ONLY)
    await ann.say("first words")
    await bo.reads("first words")
    line = bo.message("first words")
    await line.hover()
    await line.get_by_role("button", name="Reply").click()
    await bo.say("an answer")
    await expect(ann.message("an answer").locator(".quote")).to_contain_text("first words")
    await line.first.hover()
    await line.first.get_by_role("button", name="React", exact=True).click()
    await line.first.get_by_role("button", name="React with 👍").click()
    await expect(ann.page.locator(".message .chip")).to_have_text("👍 1")
    own = ann.message("first words").first
    await own.hover()
    await own.get_by_role("button", name="Edit").click()
    await ann.say("other words")
    await expect(bo.message("other words").locator(".edited").first).to_be_visible()
    own = ann.message("other words").first
    await own.hover()
    await own.get_by_role("button", name="Delete for everyone").click()
    await expect(bo.page.locator(".bubble.recalled")).to_be_visible()


async def test_history_pages_back_to_the_first_message(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann = await arrive("Ann")
    await ann.join(server.url, room, **CHAT_ONLY)
    lines = [f"line {n:03}." for n in range(130)]
    send = "lines => lines.forEach(text => tokenim.conversation.send({body: {text}}))"
    await ann.page.evaluate(send, lines)
    await ann.marked(lines[-1], "sent")
    bo = await arrive("Bo")
    await bo.join(server.url, room, **CHAT_ONLY)
    await bo.reads(lines[-1])
    await expect(bo.button("Earlier messages")).to_be_visible()
    await bo.until(ALL_EARLIER)
    shown = await bo.page.locator(".message .bubble").all_inner_texts()
    assert shown == lines


async def test_markup_in_a_message_stays_text(server: Server, arrive: Arrive, room: str) -> None:
    ann, bo = await two(server, arrive, room, **CHAT_ONLY)
    evil = '<img src=x onerror="document.title=1"> https://example.org/a?b=1. javascript:alert(1)'
    await ann.say(evil)
    bubble = bo.message("<img src=x").locator(".bubble")
    await expect(bubble).to_have_text(evil)
    assert await bubble.locator("img").count() == 0
    links = await bubble.locator("a").evaluate_all("all => all.map(a => a.href)")
    assert links == ["https://example.org/a?b=1"]


async def test_a_file_arrives_as_it_was_sent(server: Server, arrive: Arrive, room: str) -> None:
    ann, bo = await two(server, arrive, room)
    await bo.page.evaluate("probe.awaitChannels()")
    content = random.Random(7).randbytes(1_500_000)
    await ann.attach("bytes.bin", "application/octet-stream", content)
    await expect(bo.button("Download bytes.bin")).to_be_visible()
    assert await bo.fetched_hash("bytes.bin") == hashlib.sha256(content).hexdigest()
    card = bo.page.locator(".log .file[data-file]")
    await expect(card).to_have_attribute("data-via", "channel")


async def test_files_work_without_a_media_connection(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await two(server, arrive, room, **CHAT_ONLY)
    for one in (ann, bo):
        await one.page.evaluate("() => tokenim.client.files.use(null)")
    content = random.Random(8).randbytes(5_000_000)
    asked: list[Request] = []
    bo.page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - it is marked
    await ann.attach("more.bin", "application/octet-stream", content)
    await expect(bo.button("Download more.bin")).to_be_visible()
    assert await bo.fetched_hash("more.bin") == hashlib.sha256(content).hexdigest()
    (link,) = [request for request in asked if "sig=" in request.url]
    assert "authorization" not in await link.all_headers()  # it may be on another host
    card = bo.page.locator(".log .file[data-file]")
    await expect(card).to_have_attribute("data-via", "http")


async def test_an_image_is_previewed(server: Server, arrive: Arrive, room: str) -> None:
    ann, bo = await two(server, arrive, room, **CHAT_ONLY)
    await ann.attach("shot.png", "image/png", await ann.page.screenshot())
    picture = bo.button("Open image shot.png")
    await expect(picture).to_be_visible()
    await bo.until("() => document.querySelector('.picture img')?.naturalWidth === 1280")
    await picture.click()
    await expect(bo.page.get_by_role("dialog", name="shot.png")).to_be_visible()


async def test_a_file_dropped_anywhere_is_sent(server: Server, arrive: Arrive, room: str) -> None:
    ann, bo = await two(server, arrive, room, **CHAT_ONLY)
    drop = """type => {
      const data = new DataTransfer();
      data.items.add(new File(["dropped"], "note.txt", {type: "text/plain"}));
      const event = new DragEvent(type, {bubbles: true, cancelable: true, dataTransfer: data});
      document.querySelector(".stage").dispatchEvent(event);
    }"""
    await ann.page.evaluate(drop, "dragenter")
    await expect(ann.page.get_by_text("Drop files to send them")).to_be_visible()
    await ann.page.evaluate(drop, "drop")
    await expect(ann.page.get_by_text("Drop files to send them")).to_be_hidden()
    await expect(bo.button("Download note.txt")).to_be_visible()


async def test_who_is_here(server: Server, arrive: Arrive, room: str) -> None:
    ann, bo = await two(server, arrive, room, **CHAT_ONLY)
    await bo.button("Raise hand").click()
    await ann.button("People").click()
    in_call = ann.page.get_by_role("list", name="In the call").get_by_role("listitem")
    await expect(in_call).to_have_count(2)
    await expect(in_call.filter(has_text="Bo")).to_contain_text("hand raised")
    await bo.button("Leave").click()
    members = ann.page.get_by_role("list", name="In the conversation").get_by_role("listitem")
    await expect(members.filter(has_text="Bo")).to_contain_text("offline")

"""Things break, and people go on."""

import asyncio
import hashlib
import os
import signal
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Browser, expect

from media.net.transport import CONSENT_TIMEOUT_S
from media.sfu import TICK_S
from signaling.config import Settings
from signaling.services.room_host import GRACE_S
from tests.e2e.conftest import Arrive
from tests.e2e.person import WAIT_MS, Person
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

HEAD = "tokenim.conversation.log.head"
LOST_CONNECTION = ("WebSocket", "ERR_CONNECTION", "Failed to fetch", "Failed to load resource")
"""What Chromium itself writes to the console while there is no server."""


def test_who_vanishes_is_given_up_within_ten_seconds() -> None:
    """What decides it; whether it is decided is the affair of the next one."""
    assert GRACE_S + TICK_S < 10
    assert CONSENT_TIMEOUT_S + TICK_S < 10
    assert Settings().media.grace_ms == GRACE_S * 1000


async def browser_process(browser: Browser) -> int:
    """The process of a browser, asked from itself."""
    session = await browser.new_browser_cdp_session()
    info = await session.send("SystemInfo.getProcessInfo")
    pid: int = next(one["id"] for one in info["processInfo"] if one["type"] == "browser")
    return pid


async def test_a_killed_browser_is_gone_and_back(
    own_server: Server, arrive: Arrive, launch: Callable[..., Awaitable[Browser]], room: str
) -> None:
    ann = await arrive("Ann")
    await ann.join(own_server.url, room)
    doomed = await launch()
    bo = await Person.arrive(doomed, "Bo")
    await bo.join(own_server.url, room)
    await ann.sees_video_of(1)
    os.kill(await browser_process(doomed), signal.SIGKILL)
    await expect(ann.tile("Bo")).to_have_count(0)
    await ann.sees_people(1)
    again = await arrive("Bo")
    await again.join(own_server.url, room)
    for one in (ann, again):
        await one.sees_people(2)
        await one.sees_video_of(1)


async def test_a_closed_page_is_gone(server: Server, arrive: Arrive, room: str) -> None:
    ann, bo = await arrive("Ann"), await arrive("Bo")
    await ann.join(server.url, room)
    await bo.join(server.url, room)
    await ann.sees_people(2)
    await bo.context.close()
    await expect(ann.tile("Bo")).to_have_count(0)


async def test_a_reload_is_the_same_person(server: Server, arrive: Arrive, room: str) -> None:
    ann, bo = await arrive("Ann"), await arrive("Bo")
    await ann.join(server.url, room)
    await bo.join(server.url, room)
    await bo.say("before the reload")
    await bo.marked("before the reload", "sent")
    user = await bo.page.evaluate("tokenim.client.user")
    await bo.page.goto("about:blank")
    await bo.join(server.url, room)
    assert await bo.page.evaluate("tokenim.client.user") == user
    await expect(bo.page.locator(".message.own")).to_contain_text("before the reload")
    await ann.sees_people(2)
    await ann.sees_video_of(1)


@pytest.mark.parametrize(
    "deaf",
    [
        "IDBFactory.prototype.open = () => ({})",
        "LockManager.prototype.request = () => new Promise(() => undefined)",
    ],
    ids=["storage", "locks"],
)
async def test_a_browser_that_never_answers_still_joins(
    server: Server, arrive: Arrive, room: str, deaf: str
) -> None:
    ann = await arrive("Ann")
    await ann.context.add_init_script(deaf)
    await ann.join(server.url, room)


async def test_a_killed_server_loses_nothing(own_server: Server, come: Arrive, room: str) -> None:
    ann, bo = await come("Ann"), await come("Bo")
    for one in (ann, bo):
        await one.join(own_server.url, room)
    await ann.say("acked before")
    await bo.reads("acked before")
    await ann.marked("acked before", "sent")
    own_server.kill()
    await expect(ann.page.locator(".banner")).to_contain_text("Reconnecting")
    for n in range(5):
        await ann.say(f"written meanwhile {n}")
    await bo.say("written by Bo")
    await asyncio.to_thread(own_server.start)
    for one in (ann, bo):
        await one.in_room()
        for n in range(5):
            await one.reads(f"written meanwhile {n}")
            await ann.marked(f"written meanwhile {n}", "sent")
        await bo.marked("written by Bo", "sent")
        await one.reads("written by Bo")
        await one.reads("acked before")
        await one.sees_people(2)
        await one.sees_video_of(1)
        await one.hears(1)
    await bo.until("head => tokenim.conversation.log.head >= head", await ann.page.evaluate(HEAD))
    order = "() => tokenim.conversation.messages.map(one => one.body.text)"
    seqs = "() => tokenim.conversation.log.events.map(one => one.seq)"
    assert await ann.page.evaluate(order) == await bo.page.evaluate(order)
    await ann.until("head => tokenim.conversation.log.head === head", await bo.page.evaluate(HEAD))
    assert await ann.page.evaluate(seqs) == list(range(1, 1 + await bo.page.evaluate(HEAD)))
    for one in (ann, bo):
        assert one.errors_but(*LOST_CONNECTION) == []


async def test_a_lost_connection_keeps_the_call(server: Server, come: Arrive, room: str) -> None:
    ann, bo = await come("Ann"), await come("Bo")
    for one in (ann, bo):
        await one.join(server.url, room)
    await ann.sees_video_of(1)
    before = await bo.page.evaluate("globalThis.transport = tokenim.room.media.publisher, 1")
    assert before == 1
    await bo.page.evaluate("tokenim.client._socket.io.engine.close()")
    await ann.say("while Bo was away")
    await bo.reads("while Bo was away")
    await bo.until("() => tokenim.room.state === 'joined'")
    assert await bo.page.evaluate("globalThis.transport === tokenim.room.media.publisher")
    await ann.sees_video_of(1)
    await bo.sees_video_of(1)


async def test_ice_restarts_keep_the_call(server: Server, arrive: Arrive, room: str) -> None:
    ann, bo = await arrive("Ann"), await arrive("Bo")
    for one in (ann, bo):
        await one.join(server.url, room)
    await ann.sees_video_of(1)
    for transport in ("publisher", "subscriber"):
        await bo.until("probe.restartIce", transport)
        await bo.in_room()
        await ann.sees_video_of(1)
        await bo.sees_video_of(1)


async def test_an_upload_goes_on_after_a_lost_connection(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await arrive("Ann"), await arrive("Bo")
    for one in (ann, bo):
        await one.join(server.url, room)
    content = os.urandom(4_000_000)
    await ann.page.evaluate("probe.cutNextUpload(500_000)")
    await ann.attach("large.bin", "application/octet-stream", content)
    await expect(bo.button("Download large.bin")).to_be_visible(timeout=2 * WAIT_MS)
    resumed_at, cut_at = await ann.page.evaluate("[probe.resumedAt, probe.cutAt]")
    assert 0 < resumed_at < len(content)
    assert cut_at < len(content)
    assert await bo.fetched_hash("large.bin") == hashlib.sha256(content).hexdigest()
    for one in (ann, bo):
        await one.in_room()
        await one.sees_video_of(1)

"""Calls between two: ringing, answering, talking (directly or by the Room), and what is left."""

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Arrive
from tests.e2e.person import WAIT_MS, Person
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]


async def two(server: Server, arrive: Arrive, room: str, **more: str) -> tuple[Person, Person]:
    """Ann and Bo in one room."""
    ann, bo = await arrive("Ann"), await arrive("Bo")
    for one in (ann, bo):
        await one.join(server.url, room, **more)
    await ann.sees_people(2)
    return ann, bo


async def ring(caller: Person, name: str, video: bool = True) -> None:
    """From the list of people."""
    if await caller.button("People").count():
        await caller.page.get_by_role("tab", name="People").click()
    await caller.button(f"Call {name} with video" if video else f"Call {name}").first.click()


async def in_call(one: Person, *, direct: bool) -> None:
    """Until the call is shown and connected."""
    how = "!" if direct else ""
    await one.until(f"() => tokenim._options.direct && {how}tokenim.room.relayed")
    await one.until("() => tokenim.room.state === 'joined'")
    await one.sees_people(2)


async def back(one: Person, room: str) -> None:
    """Until the room is joined again."""
    await expect(one.page.get_by_role("heading", name=room)).to_be_visible(timeout=WAIT_MS)
    await one.in_room()


async def test_a_video_call_goes_from_device_to_device_and_is_remembered(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await two(server, arrive, room)
    await ring(ann, "Bo")
    await expect(ann.page.get_by_text("Calling Bo")).to_be_visible(timeout=WAIT_MS)
    await bo.button("Answer with video").click()
    for one in (ann, bo):
        await in_call(one, direct=True)
        await one.sees_video_of(1)
        await one.hears(1)
    await ann.say("just the two of us")
    await bo.reads("just the two of us")
    await bo.button("Leave").click()
    for one in (ann, bo):
        await back(one, room)
        await one.sees_people(2)
        await one.page.get_by_role("tab", name="People").click()
        recent = one.page.get_by_role("list", name="Recent calls").get_by_text("Video call")
        await expect(recent).to_have_count(1, timeout=WAIT_MS)
        assert one.errors == []


async def test_a_call_that_cannot_go_directly_goes_by_the_room(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await two(server, arrive, room, relay="1")
    await ring(ann, "Bo")
    await bo.button("Answer with video").click()
    for one in (ann, bo):
        await in_call(one, direct=False)
        await one.sees_video_of(1)
        await one.hears(1)
    await ann.button("Leave").click()
    for one in (ann, bo):
        await back(one, room)


async def test_a_call_is_declined(server: Server, arrive: Arrive, room: str) -> None:
    ann, bo = await two(server, arrive, room)
    await ring(ann, "Bo", video=False)
    await expect(bo.page.get_by_role("alertdialog")).to_contain_text("Ann", timeout=WAIT_MS)
    await bo.button("Decline").click()
    await expect(ann.page.get_by_text("Bo declined").first).to_be_visible(timeout=WAIT_MS)
    await expect(ann.page.get_by_role("alertdialog")).to_have_count(0)


async def test_a_call_is_taken_back(server: Server, arrive: Arrive, room: str) -> None:
    ann, bo = await two(server, arrive, room)
    await ring(ann, "Bo")
    await expect(bo.page.get_by_role("alertdialog")).to_be_visible(timeout=WAIT_MS)
    await ann.button("Cancel the call").click()
    for one in (ann, bo):
        await expect(one.page.get_by_role("alertdialog")).to_have_count(0, timeout=WAIT_MS)

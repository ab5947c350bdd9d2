"""People call each other: it rings, is answered, goes from device to device, and is remembered."""

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Arrive
from tests.e2e.person import WAIT_MS, Person
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

GUEST = "tokenim.guest.0"


async def in_one_room(server: Server, arrive: Arrive, room: str) -> tuple[Person, Person]:
    ann, bo = await arrive("Ann"), await arrive("Bo")
    await ann.join(server.url, room)
    await bo.join(server.url, room)
    await ann.sees_people(2)
    return ann, bo


async def rings(one: Person, text: str) -> None:
    """Until the card of a call shows."""
    await expect(one.page.get_by_role("alertdialog", name=text)).to_be_visible(timeout=WAIT_MS)


async def rings_no_more(one: Person) -> None:
    """Until no card shows."""
    await expect(one.page.get_by_role("alertdialog")).to_have_count(0, timeout=WAIT_MS)


async def calls(one: Person, label: str) -> None:
    """From the list of people."""
    if await one.page.get_by_role("tab", name="People").count() == 0:
        await one.button("People").click()
    await one.page.get_by_role("tab", name="People").click()
    await one.button(label).click()


async def in_call(one: Person, way: str) -> None:
    """Until media can go, `direct` or by the `room`."""
    await one.until("() => tokenim.room.relayed !== undefined && tokenim.room.state === 'joined'")
    await one.until("way => (tokenim.room.relayed ? 'room' : 'direct') === way", way)


async def hangs_up(one: Person) -> None:
    await one.button("Leave").click()


async def back_in_the_room(one: Person) -> None:
    """Until the call is left for the room."""
    await one.until("() => tokenim.room.relayed === undefined && tokenim.room.state === 'joined'")


async def remembers(one: Person, words: str) -> None:
    """Until the list of recent calls says so."""
    if await one.page.get_by_role("tab", name="People").count() == 0:
        await one.button("People").click()
    await one.page.get_by_role("tab", name="People").click()
    recent = one.page.get_by_role("list", name="Recent calls")
    await expect(recent).to_contain_text(words, timeout=WAIT_MS)


async def test_a_video_call_goes_from_device_to_device_and_is_remembered(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await in_one_room(server, arrive, room)
    await calls(ann, "Call Bo with video")
    await rings(ann, "Calling Bo…")
    await rings(bo, "Ann wants to see you")
    await bo.button("Answer with video").click()
    for one in (ann, bo):
        await in_call(one, "direct")
        await one.sees_video_of(1)
        await one.hears(1)
        await rings_no_more(one)
    await hangs_up(bo)
    for one in (ann, bo):
        await back_in_the_room(one)
        await remembers(one, "Video call, 0:")


async def test_two_that_find_no_path_meet_in_the_room(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await arrive("Ann"), await arrive("Bo")
    for one in (ann, bo):  # A relay only, and there is none: no candidate at all.
        await one.join(server.url, room, relay="1")
    await calls(ann, "Call Bo with video")
    await rings(bo, "Ann wants to see you")
    await bo.button("Answer with video").click()
    for one in (ann, bo):
        await in_call(one, "room")
        await one.sees_video_of(1)
        await one.hears(1)
    await hangs_up(ann)
    for one in (ann, bo):
        await back_in_the_room(one)


async def test_answering_on_one_device_stops_the_others(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await in_one_room(server, arrive, room)
    guest = await bo.page.evaluate("key => JSON.parse(localStorage.getItem(key)).user", GUEST)
    phone = await arrive("Bo")
    await phone.context.add_init_script(
        f"localStorage.setItem('{GUEST}', JSON.stringify({{user: '{guest}', device: 'phone'}}))"
    )
    await phone.join(server.url, f"{room}-phone")
    await calls(ann, "Call Bo")
    await rings(bo, "Ann is calling")
    await rings(phone, "Ann is calling")
    await phone.button("Answer").click()
    await rings_no_more(bo)
    for one in (ann, phone):
        await in_call(one, "direct")
        await one.hears(1)
    await bo.until("() => tokenim.room.relayed === undefined")  # It stayed where it was.
    await hangs_up(ann)
    await back_in_the_room(phone)


async def test_a_call_that_is_declined_is_told_and_remembered(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await in_one_room(server, arrive, room)
    await calls(ann, "Call Bo")
    await rings(bo, "Ann is calling")
    await bo.button("Decline").click()
    await expect(ann.page.locator(".toast")).to_contain_text("Bo declined", timeout=WAIT_MS)
    for one in (ann, bo):
        await rings_no_more(one)
    await remembers(ann, "Declined")
    await remembers(bo, "You declined")


async def test_a_caller_who_gives_up_stops_the_ringing(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await in_one_room(server, arrive, room)
    await calls(ann, "Call Bo")
    await rings(bo, "Ann is calling")
    await ann.button("Cancel the call").click()
    for one in (ann, bo):
        await rings_no_more(one)
    await remembers(ann, "Cancelled")
    await remembers(bo, "Missed call")

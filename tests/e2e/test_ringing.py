"""People call each other: it rings, is answered, goes from device to device, and is remembered."""

import asyncio
import re

import pytest

from tests.e2e.conftest import Arrive
from tests.e2e.person import Person
from tests.e2e.ringing import (
    PATIENT,
    back_in_the_room,
    calls,
    hangs_up,
    in_call,
    in_one_room,
    remembers,
    rings,
    rings_no_more,
)
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

GUEST = "tokenim.guest.0"
CALL, VIDEO_CALL = re.compile(r"Call, \d+:\d\d"), re.compile(r"Video call, \d+:\d\d")
"""With its length, whatever that was."""


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
        await remembers(one, VIDEO_CALL)


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
    await phone.join(server.url, f"{room}-phone", **PATIENT)
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
    await ann.was_shown(".toast", "Bo declined")
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


async def test_a_call_may_ring_for_long_before_it_is_answered(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await in_one_room(server, arrive, room)
    await bo.page.evaluate(
        "() => { globalThis.rings = 0;"
        " tokenim.client.on('wire', ({ event }) => (rings += event === 'call:ringing')) }"
    )
    await calls(ann, "Call Bo")
    await bo.until("() => rings >= 4")
    await rings(ann, "Calling Bo…")
    await bo.button("Answer").click()
    for one in (ann, bo):
        await in_call(one, "direct")


async def test_calls_are_remembered_after_a_reload(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await in_one_room(server, arrive, room)
    await calls(ann, "Call Bo")
    await rings(bo, "Ann is calling")
    await bo.button("Decline").click()
    await remembers(ann, "Declined")
    await calls(ann, "Call Bo")
    await rings(bo, "Ann is calling")
    await ann.button("Cancel the call").click()
    await remembers(ann, "Cancelled")
    bos = await bo.page.evaluate("tokenim.client.user")
    body = {"type": "text", "body": {"text": "later then"}, "client_id": "later"}
    await ann.page.evaluate(
        "async ([user, body]) => {"
        " const { id } = await tokenim.client.direct(user);"
        " await tokenim.client.request('message:send', { conversation: id, ...body }) }",
        [bos, body],
    )
    await ann.page.goto("about:blank")
    await ann.join(server.url, room)
    for words in ("Declined", "Cancelled"):
        await remembers(ann, words)


async def in_group_call(one: Person, group: str, count: int) -> None:
    """Until so many are in the Room of a group's call."""
    await one.until(
        "([id, count]) => tokenim.room.id === id && tokenim.room.state === 'joined'"
        " && tokenim.room.participants.size === count",
        [group, count],
    )


async def test_a_group_meets_in_its_room_and_goes_on_without_one(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await in_one_room(server, arrive, room)
    cy = await arrive("Cy")
    await cy.join(server.url, room)
    others = [await one.page.evaluate("tokenim.client.user") for one in (bo, cy)]
    made = {"type": "group", "title": "Team", "members": others, "client_id": "team"}
    group = await ann.page.evaluate(
        "async (made) => {"
        " const { conversation } = await tokenim.client.request('conversation:create', made);"
        " await tokenim.client.calls.invite(conversation.id, 'audio');"
        " return conversation.id }",
        made,
    )
    await rings(bo, "Team is calling")
    await bo.button("Answer").click()
    for one in (ann, bo):
        await in_group_call(one, group, 2)
    await rings(cy, "Team is calling")
    await cy.button("Answer").click()
    for one in (ann, bo, cy):
        await in_group_call(one, group, 3)
        await rings_no_more(one)
    await cy.hears(2)
    await hangs_up(bo)
    await bo.until("id => tokenim.room.id !== id && tokenim.room.state === 'joined'", group)
    for one in (ann, cy):
        await in_group_call(one, group, 2)
    await hangs_up(ann)
    for one in (ann, cy):
        await one.until("id => tokenim.room.id !== id && tokenim.room.state === 'joined'", group)
    await remembers(cy, CALL)


async def test_who_talked_while_the_server_was_killed_is_back_in_the_room(
    own_server: Server, come: Arrive, room: str
) -> None:
    ann, bo = await in_one_room(own_server, come, room)  # The browser says that it cannot connect.
    await calls(ann, "Call Bo")
    await rings(bo, "Ann is calling")
    await bo.button("Answer").click()
    for one in (ann, bo):
        await in_call(one, "direct")
    own_server.kill()
    await asyncio.to_thread(own_server.start)
    for one in (ann, bo):
        await back_in_the_room(one)
        await remembers(one, CALL)

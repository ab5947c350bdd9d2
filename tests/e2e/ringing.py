"""What people do with calls, and what they see of them."""

import re

from playwright.async_api import expect

from tests.e2e.conftest import Arrive
from tests.e2e.person import Person
from tests.e2e.server import Server

PATIENT = {"patience_ms": "300000"}
"""Of who is to find the direct way, however busy the machine is."""


async def in_one_room(
    server: Server, arrive: Arrive, room: str, **more: str
) -> tuple[Person, Person]:
    """Ann and Bo, who are patient unless said otherwise."""
    ann, bo = await arrive("Ann"), await arrive("Bo")
    for one in (ann, bo):
        await one.join(server.url, room, **{**PATIENT, **more})
    await ann.sees_people(2)
    return ann, bo


async def rings(one: Person, text: str) -> None:
    """Until the card of a call shows."""
    await expect(one.page.get_by_role("alertdialog", name=text)).to_be_visible()


async def rings_no_more(one: Person) -> None:
    """Until no card shows."""
    await expect(one.page.get_by_role("alertdialog")).to_have_count(0)


async def calls(one: Person, label: str) -> None:
    """From the list of people."""
    if await one.page.get_by_role("tab", name="People").count() == 0:
        await one.button("People").click()
    await one.page.get_by_role("tab", name="People").click()
    await one.button(label).first.click()


async def in_call(one: Person, way: str) -> None:
    """Until media can go, `direct` or by the `room`."""
    await one.until("() => tokenim.room.relayed !== undefined && tokenim.room.state === 'joined'")
    await one.until("way => (tokenim.room.relayed ? 'room' : 'direct') === way", way)


async def hangs_up(one: Person) -> None:
    await one.button("Leave").click()


async def back_in_the_room(one: Person) -> None:
    """Until the call is left for the room."""
    await one.until("() => tokenim.room.relayed === undefined && tokenim.room.state === 'joined'")


async def remembers(one: Person, words: str | re.Pattern[str]) -> None:
    """Until the list of recent calls says so."""
    if await one.page.get_by_role("tab", name="People").count() == 0:
        await one.button("People").click()
    await one.page.get_by_role("tab", name="People").click()
    recent = one.page.get_by_role("list", name="Recent calls")
    await expect(recent).to_contain_text(words)

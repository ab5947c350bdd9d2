"""What the marks of one's own messages say in a room that has seen more people than are there."""

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Arrive
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

CHAT_ONLY = {"camera": "0", "microphone": "0"}


async def test_who_is_gone_does_not_keep_a_message_from_being_read(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo, cy = await arrive("Ann"), await arrive("Bo"), await arrive("Cy")
    for one in (ann, cy, bo):
        await one.join(server.url, room, **CHAT_ONLY)
    await cy.page.close()  # A member for ever, who sees nothing more.
    await ann.say("who is left?")
    await bo.reads("who is left?")
    await ann.marked("who is left?", "read")
    marks = ann.message("who is left?").locator(".marks")
    await expect(marks).to_have_text("Read by 1")
    await ann.say("and now?")
    await ann.marked("and now?", "read")
    await expect(marks).to_have_text("")
    await expect(marks.get_by_role("img")).to_have_attribute("aria-label", "Read by 1")

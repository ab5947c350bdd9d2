"""The settings show where one is signed in, and sign a lost device out."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Arrive
from tests.e2e.person import WAIT_MS
from tests.e2e.server import Server
from tests.wire_client import WireClient

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def test_a_lost_device_is_signed_out_from_the_settings(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann = await arrive("Ann")
    await ann.join(server.url, room)
    user = await ann.page.evaluate("tokenim.client.user")
    lost = await WireClient(server.url, user, "lost-phone").connect()
    await ann.button("Settings").click()
    rows = ann.page.locator(".signed-in li")
    await expect(rows).to_have_count(2)
    await expect(rows.filter(has_text="Chrome, Linux")).to_contain_text("This one")
    await rows.filter(has_text="lost-phone").get_by_role("button", name="Sign out").click()
    async with asyncio.timeout(WAIT_MS / 1000):
        await lost.disconnected.wait()
    await lost.close()
    await expect(rows).to_have_count(1)
    assert await ann.page.evaluate("tokenim.client.online")

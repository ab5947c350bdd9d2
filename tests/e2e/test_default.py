"""The default command with a browser as people have it: media needs no flag of Chromium."""

from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import pytest
from playwright.async_api import Browser

from signaling.addresses import lan_addresses
from tests.e2e.person import Person
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

LOOPBACK_FLAG = "--allow-loopback-in-peer-connection"


def other_addresses() -> list[str]:
    """IPv4 addresses of this machine that are not loopback."""
    own = [ip_address(entry) for entry in lan_addresses()]
    return [str(entry) for entry in own if entry.version == 4 and not entry.is_loopback]


async def test_two_people_see_each_other_without_loopback_candidates(
    server: Server, launch: Callable[..., Awaitable[Browser]], room: str
) -> None:
    if not other_addresses():
        pytest.skip("this machine has no address but loopback")
    browser = await launch(without=(LOOPBACK_FLAG,))
    ann, bo = [await Person.arrive(browser, name) for name in ("Ann", "Bo")]
    for person in (ann, bo):
        await person.join(server.url, room)
    for person in (ann, bo):
        await person.sees_video_of(1)
        await person.hears(1)
        assert person.errors == []
        answer = await person.page.evaluate("tokenim.room.media.publisher.pc.remoteDescription.sdp")
        # Firefox takes no loopback candidates at all.
        assert all(f" {address} " in answer for address in other_addresses())

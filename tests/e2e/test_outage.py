"""The path of media dies for longer than the server waits, the socket does not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Arrive
from tests.e2e.person import Person
from tests.e2e.server import Server
from tests.link import Link
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

BY_WAY_OF = """
const taken = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
  return taken.call(this, { type, sdp: sdp.replaceAll(" %d typ", " %d typ") });
};
"""
LOST = """() => {
  const { publisher, subscriber } = tokenim.room.media;
  return [publisher, subscriber].every((one) => one?.pc.connectionState !== "connected");
}"""


@pytest.fixture
def media_port() -> int:
    return free_port()


@pytest.fixture
def linked(tmp_path: Path, media_port: int) -> Iterator[Server]:
    """A server whose UDP port is known, to put a link before it."""
    one = Server(tmp_path, TOKENIM_MEDIA_PORT=str(media_port))
    one.start()
    yield one
    one.stop()


async def by_way_of(link: Link, port: int, person: Person) -> None:
    """This person's media takes the link to the server's port."""
    await person.context.add_init_script(BY_WAY_OF % (port, link.port))


async def test_a_long_outage_of_media_alone_heals(
    linked: Server, media_port: int, arrive: Arrive, room: str
) -> None:
    async with Link.open(media_port) as link:
        ann, bo = await arrive("Ann"), await arrive("Bo")
        await by_way_of(link, media_port, ann)
        await ann.join(linked.url, room)
        await bo.join(linked.url, room)
        for one in (ann, bo):
            await one.sees_video_of(1)
        assert link.passed > 0
        link.dead = True
        await ann.until(LOST)
        await bo.until("() => tokenim.room.media.subscriber.tracks.size === 0")
        link.dead = False
        for one in (ann, bo):
            await one.sees_people(2)
            await one.sees_video_of(1)
            await one.hears(1)

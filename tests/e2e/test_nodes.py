"""Two processes, one service."""

import pytest

from tests.e2e.conftest import Arrive
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.redis, pytest.mark.timeout(300)]


async def test_people_on_two_nodes_write_and_see_each_other(
    two_nodes: tuple[Server, Server], arrive: Arrive, room: str
) -> None:
    ann, bo = await arrive("Ann"), await arrive("Bo")
    await ann.join(two_nodes[0].url, room)
    await bo.join(two_nodes[1].url, room)
    await ann.say("from one node")
    await bo.reads("from one node")
    await ann.marked("from one node", "read")
    await bo.say("from the other")
    await ann.reads("from the other")
    for one in (ann, bo):
        await one.sees_people(2)
        await one.sees_video_of(1)
        await one.hears(1)

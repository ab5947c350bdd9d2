"""Who enters an answered call late, as a slow page does: the other side has begun already."""

import pytest

from tests.e2e.conftest import Arrive
from tests.e2e.person import Person
from tests.e2e.ringing import back_in_the_room, calls, hangs_up, in_call, in_one_room, rings
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

HOLD = """(held) => {
  const { client } = tokenim;
  const request = client.request.bind(client);
  const gate = new Promise((open) => (globalThis.goOn = open));
  client.request = async (event, ...rest) => {
    if (event === held) await gate;
    return request(event, ...rest);
  };
}"""
"""Every request of a kind waits until `goOn()`."""
ASK_AGAIN = """async () => {
  goOn();
  for (let n = 0; n < 5; n++) await tokenim.client.request("conversation:list", {});
}"""
"""What waited goes on; what it leads to has been asked for and answered, too."""


async def answers(bo: Person) -> None:
    await rings(bo, "Ann is calling")
    await bo.button("Answer").click()


async def test_what_was_signalled_meanwhile_still_leads_to_the_direct_way(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await in_one_room(server, arrive, room)
    await bo.page.evaluate(HOLD, "history:get")
    await calls(ann, "Call Bo")
    await answers(bo)
    await ann.until("() => tokenim.room._peer?.pc.localDescription")
    await bo.page.evaluate(ASK_AGAIN)
    for one in (ann, bo):
        await in_call(one, "direct")
        await one.hears(1)


async def test_who_was_given_up_meanwhile_follows_into_the_room(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await in_one_room(server, arrive, room, patience_ms="500")
    await bo.page.evaluate(HOLD, "history:get")
    await calls(ann, "Call Bo")
    await answers(bo)
    await in_call(ann, "room")
    await bo.page.evaluate(ASK_AGAIN)
    for one in (ann, bo):
        await in_call(one, "room")
        await one.sees_people(2)
        await one.hears(1)


async def test_a_call_that_is_over_before_it_is_entered_is_not_entered(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await in_one_room(server, arrive, room)
    await calls(ann, "Call Bo")
    await rings(bo, "Ann is calling")
    await bo.page.evaluate(HOLD, "conversation:get")
    await answers(bo)
    await ann.until("() => tokenim.room._peer?.pc.localDescription")
    await hangs_up(ann)
    await bo.until("() => tokenim.client.calls.known.size === 0")
    await bo.page.evaluate(ASK_AGAIN)
    for one in (ann, bo):
        await back_in_the_room(one)
        await one.sees_people(2)
    await bo.say("nobody there?")
    await ann.reads("nobody there?")

"""What a page does while it enters a Room, and in which order: one sees the others sooner."""

import pytest

from tests.e2e.conftest import Arrive
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

COUNTED = """
  const made = [];
  const Plain = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Plain {
    constructor(...all) {
      super(...all);
      made.push(this);
    }
  };
"""
"""Transports are remembered."""
REFUSED = f"""async () => {{
  {COUNTED}
  const refusal = await tokenim.client.room("c_nowhere").join().catch((error) => error.code);
  globalThis.RTCPeerConnection = Plain;
  return [refusal, ...made.map((pc) => pc.connectionState)];
}}"""
LEFT = f"""async ([alias, transports]) => {{
  const {{ id }} = await tokenim.client.joinConversation({{ alias, create: true }});
  {COUNTED}
  const room = tokenim.client.room(id);
  const joined = room.join().then(() => "no error", (error) => error.code);
  while (made.length < transports) await undefined; // No answer comes meanwhile.
  await room.leave();
  const outcome = [await joined, room.state];
  globalThis.RTCPeerConnection = Plain;
  return [...outcome, ...made.map((pc) => pc.connectionState)];
}}"""
PUTS_OFF = """
  globalThis.asked = [];
  const wanted = new Set(["conversation:join", "history:get", "room:join", "media:publish"]);
  const refusal = JSON.stringify([{ ok: false, error: { code: "unavailable", retryable: true } }]);
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (frame) {
    const [, number, event] = /^42(\\d+)\\["([^"]+)"/.exec(frame) ?? [];
    asked.push(event);
    if (!wanted.delete(event)) return send.call(this, frame);
    this.dispatchEvent(new MessageEvent("message", { data: `43${number}${refusal}` }));
  };
"""
"""The first request of each kind is refused for now."""
WATCH = """() => {
  const { client, room } = tokenim;
  globalThis.order = [];
  const request = client.request.bind(client);
  client.request = (event, ...rest) => (order.push(event), request(event, ...rest));
  room.on("track", () => order.push("track"));
}"""


async def test_transports_are_made_while_the_room_is_asked_for_and_closed_when_it_is_refused(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann = await arrive("Ann")
    await ann.join(server.url, room)
    refusal, *transports = await ann.page.evaluate(REFUSED)
    assert refusal in ("not_found", "forbidden")
    assert transports == ["closed", "closed"]


async def test_a_room_that_is_left_while_it_is_asked_for_stays_left(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann = await arrive("Ann")
    await ann.join(server.url, room)
    outcome = await ann.page.evaluate(LEFT, [f"{room}-2", 2])
    assert outcome == ["no error", "left", "closed", "closed"]
    outcome = await ann.page.evaluate(LEFT, [f"{room}-3", 0])
    assert outcome == ["no error", "left"]  # It was not asked for yet, and is not any more.


async def test_what_is_put_off_is_asked_for_again(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann = await arrive("Ann")
    await ann.context.add_init_script(PUTS_OFF)
    await ann.join(server.url, room)
    asked = await ann.page.evaluate("asked")
    for event in ("conversation:join", "history:get", "room:join", "media:publish"):
        assert asked.count(event) > 1, event


async def test_an_offer_is_answered_before_the_page_draws_what_it_brings(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await arrive("Ann"), await arrive("Bo")
    await ann.join(server.url, room)
    await ann.page.evaluate(WATCH)
    await bo.join(server.url, room)
    await ann.sees_video_of(1)
    order = await ann.page.evaluate("order")
    assert 0 <= order.index("media:answer") < order.index("track")

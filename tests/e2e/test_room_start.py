"""What a page does while it enters a Room, and in which order: one sees the others sooner."""

import pytest
from playwright.async_api import Route

from tests.e2e.conftest import Arrive
from tests.e2e.person import Person
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

REFUSED = """async () => {
  const made = [];
  const Plain = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Plain {
    constructor(...all) {
      super(...all);
      made.push(this);
    }
  };
  const refusal = await tokenim.client.room("c_nowhere").join().catch((error) => error.code);
  globalThis.RTCPeerConnection = Plain;
  return [refusal, ...made.map((pc) => pc.connectionState)];
}"""
ORDER = """
globalThis.order = [];
const { send } = WebSocket.prototype;
WebSocket.prototype.send = function (data) {
  order.push(/"([a-z]+:[a-z]+)"/.exec(String(data))?.[1] ?? "other");
  return send.call(this, data);
};
const Socket = WebSocket;
globalThis.WebSocket = class extends Socket {
  constructor(...all) {
    super(...all);
    this.addEventListener("open", () => order.push("open"));
  }
};
const plainFetch = fetch;
globalThis.fetch = (url, ...rest) => {
  if (String(url).endsWith("token")) order.push("token");
  return plainFetch(url, ...rest);
};
const describe = RTCPeerConnection.prototype.setLocalDescription;
RTCPeerConnection.prototype.setLocalDescription = async function (...all) {
  await describe.apply(this, all);
  order.push(this.localDescription.type);
};
"""
CHANGED = """async ([action]) => {
  const room = tokenim.client.room("");
  const { media } = room;
  const picture = () => document.createElement("canvas").captureStream().getTracks()[0];
  const [first, second] = [picture(), picture()];
  await media.publish("camera", first);
  room.prepare();
  const { pc } = media._ahead.publisher;
  while (pc.signalingState !== "have-local-offer") await new Promise(requestAnimationFrame);
  if (action === "replace") await media.publish("camera", second);
  else await media.unpublish("camera");
  await media.rebuild([]).catch(() => undefined);
  const senders = [...media.publisher.sent.values()].map((one) => one.transceiver.sender);
  await room.leave();
  return senders.map(({ track }) => track === second);
}"""
GIVEN_UP = """async () => {
  const room = tokenim.client.room("");
  room.prepare();
  const { publisher, subscriber } = room.media._ahead;
  await room.leave();
  return [publisher, subscriber].map(({ pc }) => pc.connectionState);
}"""
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


async def pressed(ann: Person, server: Server, room: str) -> list[str]:
    """What the page did, in order, until Ann was in the room; her token takes its time."""
    await ann.page.add_init_script(ORDER)

    async def hold(route: Route) -> None:
        await ann.until("() => order.includes('offer')")
        await route.continue_()

    await ann.page.route("**/demo/token", hold)
    await ann.page.goto(f"{server.url}/#room={room}")
    await ann.until("() => document.querySelector('.preview video')?.videoWidth > 0")
    await ann.page.fill("input[name=name]", ann.name)
    await ann.page.click("form.join-form button[type=submit]")
    await ann.in_room()
    await ann.until("() => order.includes('history:get')")
    return list(await ann.page.evaluate("order"))


async def test_the_token_and_the_own_offer_are_made_while_the_page_connects(
    server: Server, arrive: Arrive, room: str
) -> None:
    order = await pressed(await arrive("Ann"), server, room)
    assert order.index("token") < order.index("open")
    assert order.index("offer") < order.index("conversation:join")
    assert order.count("offer") == order.count("media:publish") == 1


async def test_the_room_is_asked_for_before_what_was_written_is_read(
    server: Server, arrive: Arrive, room: str
) -> None:
    order = await pressed(await arrive("Ann"), server, room)
    assert order.index("room:join") < order.index("history:get")


async def test_what_was_written_before_one_came_is_no_news(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await arrive("Ann"), await arrive("Bo", viewport={"width": 800, "height": 600})
    await ann.join(server.url, room)
    await ann.say("an old story")
    await ann.marked("an old story", "sent")
    await bo.join(server.url, room)  # so narrow that the chat is closed
    await bo.until("() => tokenim.conversation.messages.length === 1")
    await ann.say("some news")
    await bo.until("() => document.title.startsWith('(')")
    assert await bo.page.evaluate("document.title.startsWith('(1)')")


async def test_transports_of_a_room_that_is_given_up_before_it_is_joined_are_closed(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann = await arrive("Ann")
    await ann.join(server.url, room)
    assert await ann.page.evaluate(GIVEN_UP) == ["closed", "closed"]


@pytest.mark.parametrize(("action", "sent"), [("replace", [True]), ("unpublish", [])])
async def test_an_offer_made_ahead_sends_what_there_is_when_it_is_used(
    server: Server, arrive: Arrive, room: str, action: str, sent: list[bool]
) -> None:
    ann = await arrive("Ann")
    await ann.join(server.url, room)
    assert await ann.page.evaluate(CHANGED, [action]) == sent

"""Notifications: asked for by a click, subscribed at the server, shown by the service worker.

The push service is the browser maker's and out of reach here; its place is taken by a subscription
of the right shape, and by the browser's own way to hand a message to the worker.
"""

import asyncio
import json
from dataclasses import dataclass

import pytest
from playwright.async_api import CDPSession, expect

from tests.e2e.conftest import Arrive
from tests.e2e.person import WAIT_MS, Person
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SUBSCRIPTION = """
let live = null;
const json = { endpoint: "https://push.example/abc", keys: {
  p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
  auth: "BTBZMqHH6r4Tts7J_aSIgg" } };
PushManager.prototype.subscribe = async () => (live = {
  endpoint: json.endpoint, toJSON: () => json, unsubscribe: async () => ((live = null), true) });
PushManager.prototype.getSubscription = async () => live;
"""
LOOKS = 100
"""At what is shown, before the message is handed over again."""
SHOWN = """async () => {
  const worker = await navigator.serviceWorker.getRegistration();
  return (await worker.getNotifications()).map(({ title, body }) => [title, body]);
}"""


async def allowed(server: Server, arrive: Arrive, room: str) -> Person:
    ann = await arrive("Ann")
    await ann.context.grant_permissions(["notifications"], origin=server.url)
    await ann.context.add_init_script(SUBSCRIPTION)
    await ann.join(server.url, room, camera="0", microphone="0")
    return ann


async def test_notifications_are_switched_on_and_off_by_a_click(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann = await allowed(server, arrive, room)
    assert await ann.page.evaluate("navigator.serviceWorker.getRegistration()") is None
    await ann.button("Settings").click()
    await ann.button("Turn on notifications").click()
    await expect(ann.button("Turn off notifications")).to_be_visible()
    await ann.button("Turn off notifications").click()
    await expect(ann.button("Turn on notifications")).to_be_visible()


async def test_a_push_is_shown_by_the_worker(server: Server, arrive: Arrive, room: str) -> None:
    ann = await allowed(server, arrive, room)
    await ann.button("Settings").click()
    await ann.button("Turn on notifications").click()
    await expect(ann.button("Turn off notifications")).to_be_visible()
    worker = await Worker.of(ann, server.url)
    message = {"type": "message", "conversation": "c_1", "title": "lobby", "sender_name": "Bo"}
    said = {**message, "body": "are you there?"}
    assert await worker.shows(ann, said, 1) == [["lobby", "Bo: are you there?"]]
    call = {"type": "call", "call": "call_1", "conversation": "c_2", "title": "Bo"}
    ringing = {**call, "sender_name": "Bo", "body": "Bo"}
    assert ["Bo", "Bo is calling"] in await worker.shows(ann, ringing, 2)


@dataclass
class Worker:
    """The service worker of a page, as the browser's tools see it.

    The domain stays enabled for as long as messages are handed over: switched off right after one,
    Chromium drops what it has not passed on yet.
    """

    session: CDPSession
    origin: str
    registration: str

    @classmethod
    async def of(cls, person: Person, origin: str) -> "Worker":
        """Once it is registered."""
        session = await person.context.new_cdp_session(person.page)
        found: asyncio.Queue[str] = asyncio.Queue()

        def updated(event: dict[str, list[dict[str, str]]]) -> None:
            for one in event["registrations"]:
                found.put_nowait(one["registrationId"])

        session.on("ServiceWorker.workerRegistrationUpdated", updated)
        await session.send("ServiceWorker.enable")
        return cls(session, origin, await asyncio.wait_for(found.get(), WAIT_MS / 1000))

    async def shows(self, person: Person, payload: dict[str, str], count: int) -> list[list[str]]:
        """The notifications there are, as soon as there are so many.

        Now and then the browser's tools lose what they are given. A message handed over again takes
        the place of the one before.
        """
        async with asyncio.timeout(WAIT_MS / 1000):
            while True:
                await self._deliver(payload)
                for _ in range(LOOKS):
                    found: list[list[str]] = await person.page.evaluate(SHOWN)
                    if len(found) >= count:
                        return found
                    await asyncio.sleep(0.1)

    async def _deliver(self, payload: dict[str, str]) -> None:
        """Hand it a decrypted push message."""
        message = {"origin": self.origin, "registrationId": self.registration}
        await self.session.send(
            "ServiceWorker.deliverPushMessage", {**message, "data": json.dumps(payload)}
        )

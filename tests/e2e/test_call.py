"""People see and hear each other."""

import re

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Arrive
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def test_two_people_see_and_hear_each_other(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await arrive("Ann"), await arrive("Bo")
    await ann.join(server.url, room)
    await bo.join(server.url, room)
    for one in (ann, bo):
        await one.sees_people(2)
        await one.sees_video_of(1)
        await one.hears(1)
    await expect(ann.tile("Bo")).to_be_visible()
    await expect(bo.tile("Ann")).to_be_visible()


async def test_three_people_see_and_hear_each_other(
    server: Server, arrive: Arrive, room: str
) -> None:
    people = [await arrive(name) for name in ("Ann", "Bo", "Chen")]
    for one in people:
        await one.join(server.url, room)
    for one in people:
        await one.sees_people(3)
        await one.sees_video_of(2)
        await one.hears(2)


async def test_a_muted_microphone_shows_for_the_others(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await arrive("Ann"), await arrive("Bo")
    await ann.join(server.url, room)
    await bo.join(server.url, room)
    await bo.hears(1)
    await ann.button("Mute microphone").click()
    await expect(bo.tile("Ann, microphone off")).to_be_visible()
    await ann.button("Unmute microphone").click()
    await expect(bo.tile("Ann, microphone off")).to_have_count(0)


async def test_a_camera_goes_off_and_comes_back(server: Server, arrive: Arrive, room: str) -> None:
    ann, bo = await arrive("Ann"), await arrive("Bo")
    await ann.join(server.url, room)
    await bo.join(server.url, room)
    await bo.sees_video_of(1)
    await ann.button("Turn camera off").click()
    await expect(bo.tile("Ann").locator(".face")).to_be_visible()
    await ann.button("Turn camera on").click()
    await expect(bo.tile("Ann").locator("video")).to_be_visible()
    await bo.sees_video_of(1)


async def test_what_begins_during_an_offer_goes_with_the_next(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann = await arrive("Ann")
    await ann.join(server.url, room)
    ids = await ann.page.evaluate(
        """async () => {
          const { media } = globalThis.tokenim.room;
          const { pc, sent } = media.publisher;
          const canvas = () => document.createElement('canvas').captureStream().getTracks()[0];
          const { createOffer } = RTCPeerConnection.prototype;
          let meanwhile;
          pc.createOffer = async function (options) {
            const made = await createOffer.call(this, options);
            meanwhile ??= media.publish('camera', canvas());
            await new Promise((resolve) => setTimeout(resolve));
            return made;
          };
          await media.unpublish('camera').then(() => meanwhile);
          meanwhile = undefined;
          await media.unpublish('camera');
          await media.publish('screen', canvas());
          await meanwhile;
          const of = ([source, { id, transceiver }]) => [source, id, transceiver.mid];
          const sources = [...sent].map(of);
          return sources.filter(([source]) => source !== 'microphone');
        }"""
    )
    assert sorted(source for source, _, _ in ids) == ["camera", "screen"]
    assert all(track and mid for _, track, mid in ids)
    assert len({track for _, track, _ in ids}) == 2


async def test_a_shared_screen_is_a_second_prominent_video(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await arrive("Ann"), await arrive("Bo")
    await ann.join(server.url, room)
    await bo.join(server.url, room)
    await bo.sees_video_of(1)
    await ann.button("Share screen").click()
    screen = bo.tile("Screen of Ann")
    await expect(screen).to_be_visible()
    await bo.sees_video_of(2)
    screen_box, face_box = await screen.bounding_box(), await bo.tile("Ann").bounding_box()
    assert screen_box is not None
    assert face_box is not None
    assert screen_box["width"] > 2 * face_box["width"]
    await ann.button("Stop sharing").click()
    await expect(screen).to_have_count(0)
    await bo.sees_video_of(1)


async def test_who_speaks_is_framed(server: Server, arrive: Arrive, room: str) -> None:
    ann, bo = await arrive("Ann"), await arrive("Bo")
    await ann.join(server.url, room)
    await bo.join(server.url, room)  # The fake microphone beeps once a second.
    await bo.page.locator(".tile.speaking").first.wait_for()


async def test_the_figures_of_a_tile_come_from_the_connection(
    server: Server, arrive: Arrive, room: str
) -> None:
    ann, bo = await arrive("Ann"), await arrive("Bo")
    await ann.join(server.url, room)
    await bo.join(server.url, room)
    await bo.sees_video_of(1)
    await bo.button("Statistics").click()
    figures = bo.tile("Ann").locator(".figures dd")
    # Drawn anew each second; a picture may pause on a busy machine, so all at once is waited for.
    await expect(figures.filter(has_text="VP8")).to_have_count(1)
    await expect(figures.filter(has_text=" fps")).to_have_count(1)
    await expect(figures.filter(has_text="opus")).to_have_count(1)


async def test_video_without_a_tile_is_not_sent(server: Server, arrive: Arrive, room: str) -> None:
    ann, bo = await arrive("Ann"), await arrive("Bo")
    await ann.join(server.url, room)
    await bo.join(server.url, room)
    await ann.sees_video_of(1)
    shown = "on => (document.querySelector('.stage').style.display = on ? '' : 'none')"
    await ann.page.evaluate(shown, False)
    await ann.until("() => [...tokenim.room._wishes.values()].join() === '{\"enabled\":false}'")
    await ann.until("""async () => {
      const before = globalThis.framesBefore;
      globalThis.framesBefore = JSON.stringify(await probe.frames());
      return before === globalThis.framesBefore;
    }""")
    await ann.page.evaluate(shown, True)
    await ann.sees_video_of(1)


async def test_a_poor_connection_is_shown(server: Server, arrive: Arrive, room: str) -> None:
    ann = await arrive("Ann")
    await ann.join(server.url, room)
    bars = ann.page.locator(".tile .bars")
    await expect(bars).to_be_hidden()
    await ann.page.evaluate("probe.scoreOnly", 2)
    await expect(bars).to_be_visible()
    await expect(ann.tile("Ann (you)")).to_have_attribute("aria-label", re.compile("of 3"))
    await ann.page.evaluate("probe.scoreOnly", 5)
    await expect(bars).to_be_hidden()

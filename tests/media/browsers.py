"""Real Chromium pages as Participants of an Sfu in this process; signalling is a function call."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from operator import gt
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from media import OfferMade, Rights
from media.consumer import Consumer
from tests.conftest import required
from tests.media.peers import Lobby

ARGUMENTS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
]
WAIT_S = 60.0
PAGE = r"""<!doctype html><title>peer</title><script>
const receiving = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
const sending = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
const videos = [];
receiving.ontrack = (event) => {
  const element = document.createElement(event.track.kind === 'video' ? 'video' : 'audio');
  element.autoplay = true;
  element.srcObject = new MediaStream([event.track]);
  document.body.append(element);
};
async function takeOffer(sdp) {
  await receiving.setRemoteDescription({type: 'offer', sdp});
  await receiving.setLocalDescription();
  return receiving.localDescription.sdp;
}
let floorKbps = 0;  // of what is sent, however busy the machine is
async function publish(options) {
  if (options.simulcast || options.scalability) floorKbps = 2500;  // enough for every layer
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: options.audio !== false,
    video: {width: options.width || 640, height: options.height || 360}});
  if (options.channel) window.channel = sending.createDataChannel(options.channel);
  for (const track of stream.getTracks()) {
    const init = {direction: 'sendonly', streams: [stream]};
    if (track.kind === 'video' && options.simulcast) init.sendEncodings = [
      {rid: 'l', scaleResolutionDownBy: 4}, {rid: 'm', scaleResolutionDownBy: 2}, {rid: 'h'}];
    if (track.kind === 'video' && options.scalability)
      init.sendEncodings = [{scalabilityMode: options.scalability, maxFramerate: 10}];
    const transceiver = sending.addTransceiver(track, init);
    if (track.kind === 'video' && options.codec) {
      const wanted = RTCRtpSender.getCapabilities('video').codecs.filter(
        c => [options.codec, 'video/rtx'].includes(c.mimeType) );
      transceiver.setCodecPreferences(wanted);
    }
    if (track.kind === 'video') {  // a busy machine drops frames, not layers
      const parameters = transceiver.sender.getParameters();
      parameters.degradationPreference = 'maintain-resolution';
      await transceiver.sender.setParameters(parameters);
    }
  }
  return offer();
}
async function offer(iceRestart) {
  await sending.setLocalDescription(await sending.createOffer({iceRestart: !!iceRestart}));
  const answer = await window.sfuPublish(sending.localDescription.sdp);
  await sending.setRemoteDescription({type: 'answer', sdp: floored(answer)});
}
function floored(sdp) {
  if (!floorKbps) return sdp;
  const floor = `x-google-start-bitrate=${floorKbps};x-google-min-bitrate=${floorKbps}`;
  for (const [line, type] of sdp.matchAll(/a=rtpmap:(\d+) (?:VP8|VP9|AV1|H264)\/90000\r\n/g)) {
    const [known] = sdp.match(new RegExp(`a=fmtp:${type} [^\r\n]*`)) || [];
    sdp = known ? sdp.replace(known, `${known};${floor}`)
      : sdp.replace(line, `${line}a=fmtp:${type} ${floor}\r\n`);
  }
  return sdp;
}
async function stats(pc, type) {
  const found = [];
  (await pc.getStats()).forEach(r => { if (r.type === type) found.push(r); });
  return found;
}
</script>"""


class Tab:
    """One Participant in one page."""

    def __init__(self, lobby: Lobby, name: str, page: Page) -> None:
        self.lobby = lobby
        self.name = name
        self.page = page
        self.answers = True
        self.errors: list[str] = []
        self.through = 0
        """The port of a link to reach the SFU by; 0 for none."""
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        self._lock = asyncio.Lock()

    async def take_offer(self, offer: OfferMade) -> None:
        async with self._lock:
            sdp = offer.sdp
            if self.through:
                sdp = sdp.replace(f" {self.lobby.sfu.port} typ", f" {self.through} typ")
            text = await self.page.evaluate("sdp => takeOffer(sdp)", sdp)
            await self.lobby.sfu.answer(offer.room, self.name, offer.offer_id, text)

    async def close(self) -> None:
        await self.page.close()

    async def publish(self, **options: Any) -> None:
        await self.page.evaluate("options => publish(options)", options)

    async def inbound(self, kind: str) -> list[dict[str, Any]]:
        """Inbound RTP stats of a kind."""
        found = await self.page.evaluate("stats(receiving, 'inbound-rtp')")
        return [report for report in found if report["kind"] == kind]

    async def frames_sent(self) -> int:
        """Of the first video."""
        found = await self.page.evaluate("stats(sending, 'outbound-rtp')")
        return int(next(r["framesSent"] for r in found if r["kind"] == "video"))

    async def frames_received(self) -> int:
        """Of the first video."""
        return int((await self.inbound("video"))[0]["framesReceived"])

    async def until(self, expression: str, timeout_s: float = WAIT_S) -> Any:
        """Wait until a JavaScript expression (may be a promise) is true."""
        async with asyncio.timeout(timeout_s):
            while True:
                value = await self.page.evaluate(expression)
                if value:
                    return value
                await asyncio.sleep(0.1)

    async def decoded(self, count: int, number: int = 0) -> None:
        """Wait until the n-th video has decoded `count` frames."""
        await self.until(
            "stats(receiving, 'inbound-rtp').then(all => { const v = all.filter("
            f"r => r.kind === 'video')[{number}]; return v && v.framesDecoded >= {count}; }})"
        )


class Numbers:
    """Of what is sent to a Participant from now on: a hole is a number no packet had, though its
    packet came.

    Counted where they are given, because a busy browser loses packets as well; and what a busy
    process did not read in time may have been forgotten by whoever published it.
    """

    def __init__(self, lobby: Lobby, name: str) -> None:
        subscriber = lobby.sfu._rooms["room"].participants[name].subscriber
        assert subscriber is not None
        self._consumers = list(subscriber.consumers.values())
        self._before = [_holes(one) for one in self._consumers]

    async def whole(self) -> None:
        """Wait until there is no hole: what was lost on the way here comes late."""
        async with asyncio.timeout(WAIT_S):
            while any(map(gt, map(_holes, self._consumers), self._before)):
                await asyncio.sleep(0.05)


def _holes(consumer: Consumer) -> int:
    """Numbers without a packet, but for packets that never came."""
    missing = sum(one.reception.lost - one.repaired for one in consumer.producer.streams)
    return consumer.sequences.next_out - consumer.sent.packets - max(missing, 0)


async def tab(
    browser: Browser,
    lobby: Lobby,
    name: str,
    rights: Rights | None = None,
    *,
    through: int = 0,
) -> Tab:
    """A page that joined the room; `through`: the port of a link that it receives by."""
    page = await browser.new_page()
    page.set_default_timeout(1000 * WAIT_S)
    await page.route(
        "http://localhost/*",
        lambda route: route.fulfill(status=200, content_type="text/html", body=PAGE),
    )
    made = Tab(lobby, name, page)
    made.through = through

    async def publish(sdp: str) -> str:
        return (await lobby.sfu.publish("room", name, sdp, {})).sdp

    await page.expose_function("sfuPublish", publish)
    await page.goto("http://localhost/")
    lobby.owns(made.close)
    lobby.clients["room", name] = made  # type: ignore[assignment]
    lobby.sfu.join("room", name, rights or Rights())
    return made


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium, headless; the test is skipped without one."""
    path = shutil.which("chromium")
    if path is None:
        required("chromium is not installed")
    async with async_playwright() as playwright:
        with pytest.MonkeyPatch.context() as patch:
            # A browser that waits for its turn on a busy machine is not a silent one.
            patch.setattr("media.net.transport.CONSENT_TIMEOUT_S", WAIT_S)
            browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
            try:
                yield browser
            finally:
                await browser.close()

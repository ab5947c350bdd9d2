"""Join to first decoded frame: a real Chromium enters a room where another is on camera.

    scripts/bench join [--rounds 15] [--json]

`press_ms` is what a person waits for who has looked at themselves and presses Join, to the first
frame of the other's camera being presented: a token, a socket, a session, membership, the Room.
`join_ms` runs from the moment that page sends `room:join`: an offer and its answer, ICE, DTLS, a
keyframe, decoding. `open_ms` runs from opening a link that joins at once: the page, its scripts and
getUserMedia on top. Each visit is a browser context of its own, with nothing cached.
"""

import argparse
import asyncio
import json
import shutil
import statistics
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from signaling.bench.house import House

WAIT_MS = 30_000
SETTLE_MS = 700
"""People look at their preview for a moment; by then the page has nothing left to do."""
NAMES = ("press_ms", "join_ms", "open_ms")
ARGUMENTS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
]
WATCH = """
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  if (String(data).includes('"room:join"')) globalThis.joinedAt ??= performance.now();
  return send.call(this, data);
};
addEventListener("submit", () => { globalThis.pressedAt ??= performance.now(); }, true);
const Plain = RTCPeerConnection;
globalThis.RTCPeerConnection = class extends Plain {
  constructor(...all) {
    super(...all);
    this.addEventListener('track', ({track}) => {
      if (track.kind !== 'video') return;
      const video = document.createElement('video');
      video.muted = true;
      video.srcObject = new MediaStream([track]);
      video.requestVideoFrameCallback(() => { globalThis.seenAt ??= performance.now(); });
      video.play();
    });
  }
};
"""


async def enter(browser: Browser, url: str, name: str = "", *, watch: bool = False) -> Page:
    """Follow a link, in a context of its own; with a name it joins at once."""
    context = await browser.new_context()
    if watch:
        await context.add_init_script(WATCH)
    page = await context.new_page()
    await page.goto(f"{url}/#room=bench&name={name}")
    return page


async def once(browser: Browser, url: str, number: int) -> tuple[float, float, float]:
    """Milliseconds to the first frame: from pressing Join, from `room:join`, from a link."""
    page = await enter(browser, url, watch=True)
    await page.wait_for_function("() => document.querySelector('.preview video')?.videoWidth")
    await page.fill("input[name=name]", f"viewer{number}")
    await page.wait_for_timeout(SETTLE_MS)
    await page.click("form.join-form button[type=submit]")
    pressed, joined, seen = await first_frame(page)
    page = await enter(browser, url, f"visitor{number}", watch=True)
    _, _, opened = await first_frame(page)
    return seen - pressed, seen - joined, opened


async def first_frame(page: Page) -> tuple[float, float, float]:
    """When Join was pressed (0: never), when `room:join` left and when the frame was there."""
    await page.wait_for_function("() => globalThis.seenAt", polling=50, timeout=WAIT_MS)
    pressed, joined, seen = await page.evaluate("[globalThis.pressedAt ?? 0, joinedAt, seenAt]")
    await page.context.close()
    return pressed, joined, seen


async def run(url: str, rounds: int) -> dict[str, Any]:
    """All rounds, after one that is not counted."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        on_air = await enter(browser, url, "host")
        await on_air.wait_for_function(
            "() => globalThis.tokenim?.room?.media?.publisher?.link?.up", timeout=WAIT_MS
        )
        await once(browser, url, 0)
        times = [await once(browser, url, number) for number in range(1, rounds + 1)]
        await browser.close()
    return figures(times)


def figures(times: list[tuple[float, float, float]]) -> dict[str, Any]:
    """Median, and the worst tenth's border."""
    result: dict[str, Any] = {"rounds": len(times)}
    for name, values in zip(NAMES, zip(*times, strict=True), strict=True):
        ordered = sorted(values)
        result[f"{name}_median"] = round(statistics.median(ordered))
        result[f"{name}_p90"] = round(ordered[int(0.9 * (len(ordered) - 1))])
    return result


def main() -> None:
    """Parse options, run, print."""
    parser = argparse.ArgumentParser(prog="bench join")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with House() as house:
        result = asyncio.run(run(house.url, options.rounds))
    if options.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:20} {value}")


if __name__ == "__main__":
    main()

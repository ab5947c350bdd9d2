"""Join to first decoded frame: a real Chromium enters a room where another is on camera.

    scripts/bench join [--rounds 15] [--json]

`join_ms` runs from the moment the page sends `room:join` to the first frame of the other's camera
being presented: signalling, ICE, DTLS, an offer and its answer, a keyframe, decoding. `open_ms`
runs from opening the link: the page, its scripts and getUserMedia on top. Each round is a browser
context of its own, with nothing cached.
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


async def enter(browser: Browser, url: str, name: str, *, watch: bool = False) -> Page:
    """Follow a link that joins at once, in a context of its own."""
    context = await browser.new_context()
    if watch:
        await context.add_init_script(WATCH)
    page = await context.new_page()
    await page.goto(f"{url}/#room=bench&name={name}")
    return page


async def once(browser: Browser, url: str, number: int) -> tuple[float, float]:
    """One join: milliseconds from `room:join` and from opening the page to the first frame."""
    page = await enter(browser, url, f"viewer{number}", watch=True)
    await page.wait_for_function("() => globalThis.seenAt", polling=50, timeout=WAIT_MS)
    joined, seen = await page.evaluate("[joinedAt, seenAt]")
    await page.context.close()
    return seen - joined, seen


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


def figures(times: list[tuple[float, float]]) -> dict[str, Any]:
    """Median, and the worst tenth's border."""
    result: dict[str, Any] = {"rounds": len(times)}
    for name, values in zip(("join_ms", "open_ms"), zip(*times, strict=True), strict=True):
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

"""An independent WebRTC client (aiortc) that talks to an Sfu in the same process over loopback."""

import asyncio
import math
import time
from array import array
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import av
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack
from aiortc.rtcconfiguration import RTCBundlePolicy, RTCConfiguration

from media import OfferMade, Rights, Sfu, SfuConfig, SfuEvent
from media.net.dtls import Certificate
from tests.media.raw import Raw

WAIT_S = 60.0
MOMENT_S = 0.1


class Picture(VideoStreamTrack):
    """Moving stripes, 160x120."""

    async def recv(self) -> av.VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = av.VideoFrame(160, 120, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([pts // 3000 % 200]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, time_base
        return frame


class Tone(AudioStreamTrack):
    """A 440 Hz tone."""

    async def recv(self) -> av.AudioFrame:
        frame = await super().recv()
        step = 2 * math.pi * 440 / frame.sample_rate
        start = frame.pts or 0
        wave = array("h", (int(9000 * math.sin((start + n) * step)) for n in range(frame.samples)))
        frame.planes[0].update(wave.tobytes())
        return frame


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Patient:
    """Seconds, but few between two looks: a machine that stood still is no peer that was silent."""

    def __init__(self) -> None:
        self._now = self._seen = time.monotonic()

    def __call__(self) -> float:
        seen = time.monotonic()
        self._now += min(seen - self._seen, MOMENT_S)
        self._seen = seen
        return self._now


class Lobby:
    """An Sfu on a port of its own, the events it reported, and whoever came to it."""

    def __init__(self, **config: object) -> None:
        settings = {"host": "127.0.0.1", "port": 0, "clock": Patient(), **config}
        self.sfu = Sfu(SfuConfig(**settings), self._on_event)  # type: ignore[arg-type]
        self.events: list[SfuEvent] = []
        self.clients: dict[tuple[str, str], Client] = {}
        self._changed = asyncio.Event()
        self._owned = AsyncExitStack()
        """Closed at the end, whatever becomes of the test: one that fails leaves others alone."""

    async def __aenter__(self) -> "Lobby":
        await self.sfu.start()
        self._owned.push_async_callback(self.sfu.close)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._owned.aclose()

    def owns(self, close: Callable[[], Awaitable[object]]) -> None:
        """Close it with the Lobby, before those who came earlier."""
        self._owned.push_async_callback(close)

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Do it beside the test, and no longer."""
        task = asyncio.create_task(work)

        async def end() -> None:
            task.cancel()
            await asyncio.wait([task])

        self.owns(end)

    def raw(self, certificate: Certificate | None = None) -> Raw:
        """A participant made of bytes."""
        made = Raw(certificate)
        self._owned.callback(made.close)
        return made

    def _on_event(self, event: SfuEvent) -> None:
        self.events.append(event)
        self._changed.set()
        if isinstance(event, OfferMade):
            client = self.clients.get((event.room, event.participant))
            if client is not None and client.answers:
                self.spawn(client.take_offer(event))

    async def event(self, kind: type, after: int = 0, **fields: object) -> SfuEvent:
        """The first event of `kind` with those fields among those from number `after` on."""
        async with asyncio.timeout(WAIT_S):
            while True:
                for event in self.events[after:]:
                    if isinstance(event, kind) and all(
                        getattr(event, k) == v for k, v in fields.items()
                    ):
                        return event
                self._changed.clear()
                await self._changed.wait()

    def client(
        self, name: str, room: str = "room", rights: Rights | None = None, *, answers: bool = True
    ) -> "Client":
        """Join a Participant."""
        client = Client(self, room, name, answers=answers)
        self.owns(client.close)
        self.clients[room, name] = client
        self.sfu.join(room, name, rights or Rights())
        return client


def connection() -> RTCPeerConnection:
    return RTCPeerConnection(RTCConfiguration(bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))


class Client:
    """One Participant: a publish and a subscribe connection."""

    def __init__(self, lobby: Lobby, room: str, name: str, *, answers: bool) -> None:
        self.lobby = lobby
        self.room = room
        self.name = name
        self.answers = answers
        self.sending = connection()
        self.receiving = connection()
        self.tracks: dict[str, MediaStreamTrack] = {}
        self.channels: dict[str, Any] = {}
        """Opened by the server, by label."""
        self.opened: dict[str, Any] = {}
        """Opened here, on the publish connection."""
        self._arrived = asyncio.Event()
        self._lock = asyncio.Lock()
        self.receiving.on("track", self._on_track)
        self.receiving.on("datachannel", lambda c: self.channels.update({c.label: c}))

    def _on_track(self, track: MediaStreamTrack) -> None:
        self.tracks[f"{track.kind}{len(self.tracks)}"] = track
        self._arrived.set()

    async def take_offer(self, offer: OfferMade) -> None:
        async with self._lock:
            await self.receiving.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
            await self.receiving.setLocalDescription(await self.receiving.createAnswer())
            text = self.receiving.localDescription.sdp
            await self.lobby.sfu.answer(self.room, self.name, offer.offer_id, text)

    async def publish(self, *tracks: MediaStreamTrack, channel: str = "") -> object:
        """Publish tracks (and maybe a data channel)."""
        if channel:
            self.opened[channel] = self.sending.createDataChannel(channel)
        for track in tracks:
            self.sending.addTransceiver(track, "sendonly")
        return await self.offer()

    async def offer(self) -> object:
        await self.sending.setLocalDescription(await self.sending.createOffer())
        text = self.sending.localDescription.sdp
        published = await self.lobby.sfu.publish(self.room, self.name, text, {})
        await self.sending.setRemoteDescription(RTCSessionDescription(published.sdp, "answer"))
        return published

    async def track(self, kind: str, number: int = 0) -> MediaStreamTrack:
        """The n-th received track of a kind."""
        async with asyncio.timeout(WAIT_S):
            while True:
                found = [t for t in self.tracks.values() if t.kind == kind]
                if len(found) > number:
                    return found[number]
                self._arrived.clear()
                await self._arrived.wait()

    async def frames(self, kind: str, count: int, number: int = 0) -> list[object]:
        """Decode `count` frames of a received track."""
        track = await self.track(kind, number)
        async with asyncio.timeout(WAIT_S):
            return [await track.recv() for _ in range(count)]

    async def close(self) -> None:
        await self.sending.close()
        await self.receiving.close()

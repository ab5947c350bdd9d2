"""File relay: MB/s up and down, over HTTP and over data channels, server on one core.

    scripts/bench files [--http-mb 256] [--channel-mb 24] [--json]

The data channel client is aiortc, as slow as the server's SCTP, on the other core: the figure is
what one receiver or sender gets, not what the server could give to faster ones. `cpu` is processor
milliseconds of the server per MB.
"""

import argparse
import asyncio
import hashlib
import json
import os
import struct
import time
from typing import Any

from aiohttp import ClientSession
from aiortc import RTCDataChannel, RTCPeerConnection, RTCSessionDescription

from signaling.bench.house import House
from signaling.bench.wire import Client, token

MB = 1_000_000
CHUNK_BYTES = 48 * 1024
BUFFERED_BYTES = 256 * 1024
TIMEOUT_S = 300
HEADER = struct.Struct("!Q")


class Person:
    """A User in a Conversation and its Room."""

    def __init__(self, house: House, name: str) -> None:
        self._house = house
        self._name = name
        self.token = token(house.url, name)
        self.sending = RTCPeerConnection()
        self.receiving = RTCPeerConnection()
        self.channels: asyncio.Queue[RTCDataChannel] = asyncio.Queue()
        self.receiving.on("datachannel", self.channels.put_nowait)
        self.conversation = ""
        self._answering: set[asyncio.Task[None]] = set()

    async def enter(self, alias: str) -> None:
        """Connect and join both."""
        auth = {"token": self.token, "device": "bench"}
        self.socket = await Client.connect(self._house.url, auth, self._on_event)
        joined = await self.socket.request("conversation:join", {"alias": alias, "create": True})
        self.conversation = joined["conversation"]["id"]
        await self.socket.request("room:join", {"room": self.conversation})

    def _on_event(self, event: str, data: Any) -> None:
        if event == "media:offer":
            task = asyncio.ensure_future(self._answer(data))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, offer: dict[str, Any]) -> None:
        await self.receiving.setRemoteDescription(RTCSessionDescription(offer["sdp"], "offer"))
        await self.receiving.setLocalDescription(await self.receiving.createAnswer())
        sdp = self.receiving.localDescription.sdp
        answer = {"room": self.conversation, "offer_id": offer["offer_id"], "sdp": sdp}
        await self.socket.request("media:answer", answer)

    async def publish(self, label: str) -> RTCDataChannel:
        """An open channel on publish."""
        channel = self.sending.createDataChannel(label)
        opened = asyncio.Event()
        channel.on("open", opened.set)
        await self.sending.setLocalDescription(await self.sending.createOffer())
        sdp = self.sending.localDescription.sdp
        request = {"room": self.conversation, "sdp": sdp}
        published = await self.socket.request("media:publish", request)
        await self.sending.setRemoteDescription(RTCSessionDescription(published["sdp"], "answer"))
        await asyncio.wait_for(opened.wait(), 20)
        return channel

    async def offer(self, content: bytes, client_id: str) -> dict[str, Any]:
        """`file:offer`."""
        request = {
            "conversation": self.conversation,
            "client_id": client_id,
            "name": "bench.bin",
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        return await self.socket.request("file:offer", request)

    async def close(self) -> None:
        """Leave."""
        await self.sending.close()
        await self.receiving.close()
        self.socket.close()


class Watch:
    """Wall and server processor time of a block, per MB."""

    def __init__(self, house: House, size_bytes: int) -> None:
        self._house, self._size_mb = house, size_bytes / MB
        self._began, self._cpu = time.perf_counter(), house.cpu_s()

    def result(self) -> dict[str, float]:
        """MB/s, and the server's milliseconds per MB."""
        wall = time.perf_counter() - self._began
        cpu = self._house.cpu_s() - self._cpu
        return {
            "mb_per_s": round(self._size_mb / wall, 1),
            "cpu_ms_per_mb": round(cpu * 1000 / self._size_mb, 2),
        }


async def over_http(house: House, ann: Person, bob: Person, content: bytes) -> dict[str, Any]:
    """PUT, then GET."""
    offered = await ann.offer(content, "http")
    async with ClientSession(house.url) as session:
        watch = Watch(house, len(content))
        headers = {"Authorization": f"Bearer {ann.token}", "Content-Length": str(len(content))}
        async with session.put(
            offered["upload_url"], data=_pieces(content), headers=headers
        ) as put:
            assert put.status == 201, await put.text()
        up = watch.result()
        fetched = await bob.socket.request("file:fetch", {"file": offered["file"]})
        watch, digest = Watch(house, len(content)), hashlib.sha256()
        async with session.get(fetched["download_url"]) as got:
            async for chunk in got.content.iter_any():
                digest.update(chunk)
        down = watch.result()
    assert digest.hexdigest() == fetched["sha256"]
    return {"up": up, "down": down}


async def _pieces(content: bytes) -> Any:
    for start in range(0, len(content), MB):
        yield content[start : start + MB]


async def over_channels(house: House, ann: Person, bob: Person, content: bytes) -> dict[str, Any]:
    """Up through one channel, then down through another."""
    offered = await ann.offer(content, "channel")
    channel = await ann.publish(f"file:{offered['file']}")
    watch = Watch(house, len(content))
    await _send(channel, content)
    up = watch.result()
    while not bob.channels.empty():
        bob.channels.get_nowait()
    watch = Watch(house, len(content))
    await bob.socket.request("file:fetch", {"file": offered["file"]})
    got = await _receive(await asyncio.wait_for(bob.channels.get(), 20))
    down = watch.result()
    assert got == hashlib.sha256(content).hexdigest()
    return {"up": up, "down": down}


async def _send(channel: RTCDataChannel, content: bytes) -> None:
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    low = asyncio.Event()
    channel.bufferedAmountLowThreshold = BUFFERED_BYTES // 2
    channel.on("bufferedamountlow", low.set)
    channel.on("message", ended.set_result)
    for offset in range(0, len(content), CHUNK_BYTES):
        while channel.bufferedAmount > BUFFERED_BYTES:
            low.clear()
            await asyncio.wait_for(low.wait(), TIMEOUT_S)
        channel.send(HEADER.pack(offset) + content[offset : offset + CHUNK_BYTES])
    answer = await asyncio.wait_for(ended, TIMEOUT_S)
    assert "ok" in json.loads(answer), answer


async def _receive(channel: RTCDataChannel) -> str:
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    digest = hashlib.sha256()

    def message(data: bytes | str) -> None:
        if isinstance(data, str):
            ended.set_result(data)
        else:
            digest.update(data[HEADER.size :])

    channel.on("message", message)
    answer = await asyncio.wait_for(ended, TIMEOUT_S)
    assert "ok" in json.loads(answer), answer
    return digest.hexdigest()


async def run(http_mb: int, channel_mb: int) -> dict[str, Any]:
    """All four directions."""
    env = {"TOKENIM_LIMITS_FILE_BYTES": "8GiB"}
    with House(core=0, env=env) as house:
        os.sched_setaffinity(0, {(os.cpu_count() or 1) - 1})
        ann, bob = Person(house, "ann"), Person(house, "bob")
        await ann.enter("bench")
        await bob.enter("bench")
        http = await over_http(house, ann, bob, os.urandom(MB) * http_mb)
        channels = await over_channels(house, ann, bob, os.urandom(MB) * channel_mb)
        await ann.close()
        await bob.close()
    return {"http": http, "channels": channels, "http_mb": http_mb, "channel_mb": channel_mb}


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--http-mb", type=int, default=256)
    parser.add_argument("--channel-mb", type=int, default=24)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    result = asyncio.run(run(given.http_mb, given.channel_mb))
    if given.json:
        print(json.dumps(result))
        return
    for path in ("http", "channels"):
        for way in ("up", "down"):
            line = result[path][way]
            print(f"{path:9} {way:5} {line['mb_per_s']:8} MB/s {line['cpu_ms_per_mb']:7} ms/MB")


if __name__ == "__main__":
    main()

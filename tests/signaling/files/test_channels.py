"""Files and messages over data channels, with aiortc's peer connection as the other side."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiortc import RTCDataChannel

from media import DataReceived, Sfu, SfuConfig, TransportConnected
from media.relay.frames import pack_chunk, parse_chunk, parse_message
from signaling.protocol.files import FileCancel
from tests.media.peers import Client, Lobby, Patient
from tests.signaling.files.conftest import House, person

CONTENT = os.urandom(700_000)
ANN, BOB = person("ann"), person("bob")
CHUNK = 48 * 1024


class Tap:
    """What arrives on one channel."""

    def __init__(self, channel: RTCDataChannel) -> None:
        self.channel = channel
        self.messages: list[bytes | str] = []
        self.closed = False
        self._changed = asyncio.Event()
        channel.on("message", self._message)
        channel.on("open", self._changed.set)
        channel.on("bufferedamountlow", self._changed.set)
        channel.on("close", self._close)

    def _message(self, message: bytes | str) -> None:
        self.messages.append(message)
        self._changed.set()

    def _close(self) -> None:
        self.closed = True
        self._changed.set()

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(60):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def open(self) -> "Tap":
        await self.until(lambda: self.channel.readyState == "open")
        return self

    async def end(self) -> dict[str, Any]:
        """The text message that ends a transfer."""
        await self.until(lambda: any(isinstance(message, str) for message in self.messages))
        return json.loads(next(m for m in self.messages if isinstance(m, str)))

    async def send(self, content: bytes, start: int = 0, end: int | None = None) -> None:
        for offset in range(start, len(content) if end is None else end, CHUNK):
            await self.until(lambda: self.channel.bufferedAmount < 4 * CHUNK or self.closed)
            self.channel.send(pack_chunk(offset, content[offset : offset + CHUNK]))

    def content(self, start: int = 0) -> bytes:
        """The bytes of a download, whose offsets must be in line."""
        whole = b""
        for message in self.messages:
            if isinstance(message, bytes):
                offset, data = parse_chunk(message)
                assert offset == start + len(whole)
                whole += data
        return whole


class Hall:
    """A room with ann and bob in it, and the files of `house`."""

    def __init__(self, house: House, lobby: Lobby) -> None:
        self.house = house
        self.lobby = lobby
        self.sfu = lobby.sfu
        self.taps: dict[tuple[str, str], Tap] = {}
        self._opened = asyncio.Event()
        for who in (ANN, BOB):
            house.rooms.seats["room", who.user] = who

    async def enter(self, name: str) -> Client:
        before = len(self.lobby.events)
        for old in [known for known in self.taps if known[0] == name]:
            del self.taps[old]
        client = self.lobby.client(name)

        def opened(channel: RTCDataChannel) -> None:
            self.taps[name, channel.label] = Tap(channel)
            self._opened.set()

        client.receiving.on("datachannel", opened)
        await self.lobby.event(TransportConnected, before, participant=name, transport="subscribe")
        for label in ("data", "data-lossy"):
            await self.tap(name, label)
        return client

    async def tap(self, name: str, label: str) -> Tap:
        async with asyncio.timeout(60):
            while (name, label) not in self.taps:
                self._opened.clear()
                await self._opened.wait()
        return self.taps[name, label]

    async def upload(self, client: Client, file: str) -> Tap:
        """Open `file:<id>` on publish."""
        label = f"file:{file}"
        if client.sending.sctp is None:
            await client.publish(channel=label)
            return await Tap(client.opened[label]).open()
        return await Tap(client.sending.createDataChannel(label)).open()


@pytest.fixture
async def hall(house: House) -> AsyncIterator[Hall]:
    lobby = Lobby()
    config = SfuConfig(host="127.0.0.1", port=0, clock=Patient())
    lobby.sfu = Sfu(config, lobby._on_event, house.filing.relay)
    async with lobby:
        yield Hall(house, lobby)


async def test_a_file_goes_up_by_channel_and_down_by_channel(hall: Hall) -> None:
    ann, _ = await hall.enter("ann"), await hall.enter("bob")
    offered = await hall.house.offer(ANN, CONTENT)
    up = await hall.upload(ann, offered.file)
    await up.send(CONTENT)
    ending = await up.end()
    assert (ending["ok"]["file"], ending["ok"]["seq"]) == (offered.file, 1)
    assert await hall.sfu.send_file("room", "bob", offered.file, 0)
    down = await hall.tap("bob", f"file:{offered.file}")
    assert await down.end() == {"ok": {"size": len(CONTENT)}}
    assert down.content() == CONTENT


async def test_a_receiver_follows_the_upload_and_another_joins_late_at_an_offset(
    hall: Hall,
) -> None:
    ann, _ = await hall.enter("ann"), await hall.enter("bob")
    offered = await hall.house.offer(ANN, CONTENT)
    assert await hall.sfu.send_file("room", "bob", offered.file, 0)
    up = await hall.upload(ann, offered.file)
    await up.send(CONTENT, end=4 * CHUNK)
    down = await hall.tap("bob", f"file:{offered.file}")
    await down.until(lambda: len(down.content()) == 4 * CHUNK)
    assert await hall.sfu.send_file("room", "ann", offered.file, 1234)
    await up.send(CONTENT, start=4 * CHUNK)
    late = await hall.tap("ann", f"file:{offered.file}")
    assert "ok" in await down.end()
    assert "ok" in await late.end()
    assert down.content() == CONTENT
    assert late.content(1234) == CONTENT[1234:]


async def test_an_upload_resumes_after_its_connection_dropped(hall: Hall) -> None:
    ann = await hall.enter("ann")
    offered = await hall.house.offer(ANN, CONTENT)
    up = await hall.upload(ann, offered.file)
    await up.send(CONTENT, end=5 * CHUNK)
    file = await hall.house.filing.files.readable(BOB, offered.file)
    download = await hall.house.filing.files.open(file, 0, 5 * CHUNK)
    while await download.read(CHUNK):
        pass
    await download.close()
    await ann.close()
    await hall.sfu.leave("room", "ann")
    again = await hall.enter("ann")
    resumed = await hall.house.offer(ANN, CONTENT)
    assert (resumed.file, resumed.offset) == (offered.file, 5 * CHUNK)
    up = await hall.upload(again, offered.file)
    await up.send(CONTENT, start=resumed.offset)
    assert "ok" in await up.end()
    assert await hall.house.read(BOB, offered.file) == CONTENT


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (pack_chunk(1, b"late"), "conflict"),
        (pack_chunk(0, bytes(CHUNK)), "too_large"),
        (pack_chunk(2**62, b"far"), "conflict"),
        (pack_chunk(2**64 - 1, b"beyond"), "bad_request"),
        (b"short", "bad_request"),
        (pack_chunk(0, b""), "bad_request"),
        ("stop", "conflict"),
        (pack_chunk(0, b"wrong bytes"), "bad_request"),
    ],
)
async def test_what_lies_ends_the_channel_with_a_code(
    hall: Hall, message: bytes | str, code: str
) -> None:
    ann = await hall.enter("ann")
    offered = await hall.house.offer(ANN, b"right bytes")
    up = await hall.upload(ann, offered.file)
    up.channel.send(message)
    error = (await up.end())["error"]
    assert (error["code"], error["offset"]) == (code, 0)
    await up.until(lambda: up.closed)


async def test_others_files_and_unknown_labels_are_refused(hall: Hall) -> None:
    ann, bob = await hall.enter("ann"), await hall.enter("bob")
    offered = await hall.house.offer(ANN, CONTENT)
    stolen = await hall.upload(bob, offered.file)
    assert (await stolen.end())["error"]["code"] == "forbidden"
    assert (await (await hall.upload(ann, "nothing")).end())["error"]["code"] == "not_found"
    odd = await Tap(ann.sending.createDataChannel("file:../../etc")).open()
    assert (await odd.end())["error"]["code"] == "unsupported"


async def test_a_download_of_what_is_cancelled_ends_with_a_code(hall: Hall) -> None:
    await hall.enter("bob")
    offered = await hall.house.offer(ANN, CONTENT)
    upload = await hall.house.filing.files.begin(ANN, offered.file)
    await upload.write(0, CONTENT[:1000])
    assert await hall.sfu.send_file("room", "bob", offered.file, 0)
    down = await hall.tap("bob", f"file:{offered.file}")
    await down.until(lambda: down.content() == CONTENT[:1000])
    await hall.house.filing.files.cancel(ANN, FileCancel(file=offered.file))
    ending = await down.end()
    assert (ending["error"]["code"], ending["error"]["offset"]) == ("conflict", 1000)
    upload.close()


async def test_messages_reach_the_others_with_their_senders_id(hall: Hall) -> None:
    ann, _ = await hall.enter("ann"), await hall.enter("bob")
    await ann.publish(channel="data")
    said = await Tap(ann.opened["data"]).open()
    heard, own = hall.taps["bob", "data"], hall.taps["ann", "data"]
    said.channel.send(b"\x00bytes")
    said.channel.send("text")
    await heard.until(lambda: len(heard.messages) == 2)
    hall.sfu.send_data("room", None, b"hello", reliable=True)
    await heard.until(lambda: len(heard.messages) == 3)
    assert parse_message(heard.messages[0]) == ("ann", b"\x00bytes")
    assert json.loads(heard.messages[1]) == {"participant": "ann", "data": "text"}
    assert parse_message(heard.messages[2]) == ("", b"hello")
    await own.until(lambda: len(own.messages) == 1)
    told = await hall.lobby.event(DataReceived, participant="ann", payload=b"text")
    assert told.reliable


async def test_a_reliable_message_is_never_dropped_silently(hall: Hall) -> None:
    ann, _ = await hall.enter("ann"), await hall.enter("bob")
    await ann.publish(channel="data")
    said = await Tap(ann.opened["data"]).open()
    said.channel.send(bytes(40_000))
    assert (await said.end())["error"]["code"] == "too_large"
    await said.until(lambda: said.closed)


async def test_a_lossy_message_too_many_is_dropped_and_counted(hall: Hall) -> None:
    """On their way they may be lost as well: nobody sends them again, so we do."""
    ann, _ = await hall.enter("ann"), await hall.enter("bob")
    await ann.publish(channel="data-lossy")
    said = await Tap(ann.opened["data-lossy"]).open()
    heard, sent = hall.taps["bob", "data-lossy"], 0
    async with asyncio.timeout(60):
        while not (dropped := hall.sfu.stats()["messages_dropped_total"]):
            said.channel.send(bytes(40_000))
            sent += 1
            await said.until(lambda: not said.channel.bufferedAmount)
            await asyncio.sleep(0.1)
        while not heard.messages:
            said.channel.send(b"small")
            await asyncio.sleep(0.1)
    assert dropped <= sent
    assert {parse_message(message) for message in heard.messages} == {("ann", b"small")}

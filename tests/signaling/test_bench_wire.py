"""The client that measures closes what it opened, and a network that repeats does not hurt it."""

import asyncio
import json

import pytest

from signaling.app import Process
from signaling.bench.wire import Client


class Kept(Client):
    """Remembers those that were made."""

    made: list[Client]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.made.append(self)


async def test_who_is_refused_leaves_no_socket_open(process: Process) -> None:
    Kept.made = []
    with pytest.raises(ConnectionError, match="unauthorized"):
        await Kept.connect(process.url, {"token": "nobody's"}, lambda *_: None)
    (refused,) = Kept.made
    assert refused._transport is not None
    assert refused._transport.is_closing()


async def test_what_a_network_repeats_is_taken_once() -> None:
    heard: list[str] = []
    client = Client(lambda event, _: heard.append(event))
    client.data_received(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    for event in ("session:ready", "session:ready", "typing:changed"):
        text = b"42" + json.dumps([event, {"number": len(heard)}]).encode()
        client.data_received(bytes([0x81, len(text)]) + text)
    assert await client.ready == {"number": 0}
    assert heard == ["typing:changed"]

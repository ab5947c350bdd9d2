"""The messaging invariants of the design, each under its own name; 9 has a file of its own, 12 and
13 are also proved where the sockets are (tests/signaling/gateway)."""

import asyncio
import contextlib
import gc
import itertools
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from signaling.app import Process
from tests.conftest import MakeProcess
from tests.house import opened
from tests.wire_client import RequestRefused, WireClient, demo_token

WAIT_S = 60


class RawSocket:
    """A websocket that keeps every frame in the order it came."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.frames: list[str] = []

    async def ask(self, event: str, payload: dict[str, Any]) -> str:
        """Send a request; how its ack will begin."""
        number = next(self._numbers)
        body = msgspec.json.encode([event, payload]).decode()
        await self._socket.send_str(f"42{number}{body}")
        return f"43{number}["

    async def until(self, start: str, count: int = 1) -> str:
        """The `count`th frame that starts so."""
        async with asyncio.timeout(WAIT_S):
            while True:
                found = [frame for frame in self.frames if frame.startswith(start)]
                if len(found) >= count:
                    return found[count - 1]
                self.frames.append(await self._socket.receive_str())
                if self.frames[-1] == "2":  # a PING, which a slow machine lives to see
                    await self._socket.send_str("3")


@asynccontextmanager
async def raw_socket(url: str, user: str) -> AsyncIterator[RawSocket]:
    token = await asyncio.to_thread(demo_token, url, user)
    where = f"{url}/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as session, session.ws_connect(where) as socket:
        await socket.receive_str()
        await socket.send_str("40" + msgspec.json.encode({"token": token}).decode())
        raw = RawSocket(socket)
        await raw.until('42["session:ready"')
        yield raw


def kept(path: Path, conversation: str, seq: int) -> str:
    """What another process finds on disk."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        where = "select data from events where conversation = ? and seq = ?"
        return str(database.execute(where, (conversation, seq)).fetchone()[0])


async def test_7_append_then_ack_then_publish(process: Process, tmp_path: Path) -> None:
    async with raw_socket(process.url, "ann") as ann:
        joined = await ann.until(
            await ann.ask("conversation:join", {"alias": "hall", "create": True})
        )
        hall = msgspec.json.decode(joined[joined.index("[") :])[0]["conversation"]["id"]
        for n in range(1, 11):
            said = {"type": "text", "body": {"text": f"{n}"}, "client_id": f"m{n}"}
            ack = await ann.ask("message:send", {"conversation": hall, **said})
            await ann.until('42["message:created"', n)
            answered = await ann.until(ack)
            event = await ann.until('42["message:created"', n)
            assert ann.frames.index(answered) < ann.frames.index(event)
            seq = msgspec.json.decode(answered[answered.index("[") :])[0]["seq"]
            assert f'"text":"{n}"' in kept(tmp_path / "data" / "tokenim.db", hall, seq)


async def test_8_a_client_id_is_unique_for_ever(make_process: MakeProcess) -> None:
    first = await make_process()
    ann = await WireClient(first.url, "ann").connect()
    hall = (await ann.request("conversation:join", alias="hall", create=True))["conversation"]["id"]
    said: dict[str, Any] = {"conversation": hall, "type": "text", "client_id": "m1"}
    sent = await ann.request("message:send", **said, body={"text": "once"})
    await ann.request("message:recall", conversation=hall, seq=sent["seq"])
    await ann.close()
    await first.close()
    ann = await WireClient((await make_process()).url, "ann", "laptop").connect()
    again = await ann.request("message:send", **said, body={"text": "once"})
    assert again == {**sent, "duplicate": True}
    with pytest.raises(RequestRefused, match="conflict"):
        await ann.request("message:send", **said, body={"text": "something else"})
    await ann.close()


async def test_10_receipts_only_move_forward_and_stay_below_the_head(tmp_path: Path) -> None:
    async with opened(tmp_path / "log.db") as house:
        hall = await house.group("ann", "bob")
        head = [await house.send("ann", hall) for _ in range(5)][-1]
        marks = []
        for event, seq in [
            ("read", 3), ("delivered", 2), ("read", 1), ("delivered", head), ("read", head + 9),
            ("delivered", head + 9), ("read", 1),
        ]:  # fmt: skip
            await house.ask("bob", f"receipt:{event}", conversation=hall, seq=seq)
            member = await house.conversations.member(hall, "bob")
            assert member is not None
            assert member.read <= member.delivered <= head
            marks.append((member.delivered, member.read))
        assert marks == sorted(marks)
        assert marks[-1] == (head, head)


async def test_11_one_order_everywhere(make_process: MakeProcess) -> None:
    """Two write as fast as they can; both, and a third who reads only, hear the same."""
    process = await make_process(**{"limits.connection_rate": 0, "limits.user_rate": 0})
    users = ("ann", "bob", "cat")
    people = [await WireClient(process.url, user).connect() for user in users]
    joined = await people[0].request("conversation:join", alias="hall", create=True)
    hall = joined["conversation"]["id"]
    for person in people[1:]:
        await person.request("conversation:join", conversation=hall)

    async def write(person: WireClient) -> list[int]:
        sends = [
            person.request(
                "message:send",
                conversation=hall,
                type="text",
                client_id=f"{n}",
                body={"text": f"{n}"},
            )
            for n in range(40)
        ]
        return [ack["seq"] for ack in await asyncio.gather(*sends)]

    acked = await asyncio.gather(*map(write, people[:2]))
    assert acked[0] == sorted(acked[0])
    everything = sorted(itertools.chain(*acked))
    assert everything == list(range(everything[0], everything[0] + 80))
    for person in people:
        await person.until("message:created", seq=everything[-1])
        assert [event["seq"] for event in person.all("message:created")] == everything
        await person.close()


async def test_13_every_task_has_an_owner_and_every_open_a_close(
    make_process: MakeProcess, tmp_path: Path
) -> None:
    before, files = set(asyncio.all_tasks()), _files(tmp_path)
    process = await make_process()
    ann = await WireClient(process.url, "ann").connect()
    await ann.request("conversation:join", alias="hall", create=True)
    await ann.close()
    settled = _sockets()
    for n in range(20):
        guest = await WireClient(process.url, f"guest{n}").connect()
        await guest.request("conversation:join", alias="hall")
        await guest.close()
    async with asyncio.timeout(WAIT_S):
        while _sockets() > settled + 1:  # the server's ends close a moment later
            await asyncio.sleep(0.01)
    assert _files(tmp_path) > files  # the count sees what it is to see
    await process.close()
    left = {task for task in asyncio.all_tasks() - before if not task.done()}
    assert not left
    assert _files(tmp_path) == files


def _sockets() -> int:
    """Open sockets of this process."""
    return sum(name.startswith("socket:") for name in _descriptors())


def _files(folder: Path) -> int:
    """Open files of this process below a folder; how many readers of a database is its affair."""
    return sum(name.startswith(str(folder)) for name in _descriptors())


def _descriptors() -> Iterator[str]:
    """What each descriptor of this process stands for."""
    gc.collect()
    for number in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the listing's own
            yield str(number.readlink())

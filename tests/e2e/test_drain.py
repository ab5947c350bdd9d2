"""SIGTERM to a real process, in the middle of a talk: answered, sent away, back by cursor."""

import asyncio
import contextlib
import itertools
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import socketio

from tests.e2e.server import Server
from tests.nodes import two_nodes
from tests.wire_client import WireClient

SETTINGS = {
    "TOKENIM_GATEWAY_DRAIN_MS": "20000",  # of which three sockets take three waves of ten
    "TOKENIM_LIMITS_CONNECTION_RATE": "0",
    "TOKENIM_LIMITS_USER_RATE": "0",
    "TOKENIM_MEDIA_ENABLED": "false",
}
WAIT_S = 60.0
TURNS = 100
"""Of the loop: what has come is handled within fewer."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "data", **SETTINGS)
    made.start()
    yield made
    made.stop()


class Talker:
    """Sends one message after the other until its socket is closed; knows which were acked."""

    def __init__(self, client: WireClient, conversation: str) -> None:
        # passed in
        self.client = client
        self._conversation = conversation
        # made here
        self.cursor = ""
        self.acked: dict[str, int] = {}
        self.busy = asyncio.Event()

    async def talk(self) -> None:
        """Until the socket is closed; what is then without an answer is not counted."""
        sending = asyncio.create_task(self._talk())
        await self.client.disconnected.wait()
        # An answer that came just before is still on its way through the client: a few turns.
        for _ in range(TURNS):
            await asyncio.sleep(0)
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, socketio.exceptions.SocketIOError):
            await sending

    async def _talk(self) -> None:
        for number in itertools.count():
            client_id = f"{self.client.user}-{number}"
            ack = await self.client.request(
                "message:send",
                conversation=self._conversation,
                client_id=client_id,
                type="text",
                body={"text": client_id},
            )
            self.acked[client_id] = ack["seq"]
            if number == 10:
                self.busy.set()


async def arrive(server: Server, user: str, transport: str) -> Talker:
    """Connected, in the conversation, with a cursor."""
    client = await WireClient(server.url, user).connect(transport=transport)
    ack = await client.request("conversation:join", alias="drain", create=True)
    talker = Talker(client, ack["conversation"]["id"])
    talker.cursor = (await client.request("sync", cursor=client.ready["cursor"]))["cursor"]
    return talker


def readiness(url: str) -> int:
    """Status of /readyz; 0 when nobody listens any more. Raises TimeoutError."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=WAIT_S) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except TimeoutError:
        raise
    except OSError:
        return 0


async def readiness_until_gone(url: str) -> set[int]:
    """Every answer of /readyz until the process has ended."""
    seen: set[int] = set()
    while 0 not in seen:
        seen.add(await asyncio.to_thread(readiness, url))
    return seen


async def events_since(server: Server, talker: Talker) -> list[dict[str, Any]]:
    """What the resumed session, and its pages, tell of the conversation after the cursor."""
    client = await WireClient(server.url, talker.client.user).connect(talker.cursor)
    (entry,) = client.ready["missed"]["conversations"]
    events = list(entry["events"])
    while events[-1]["seq"] < entry["head"]:
        page = await client.request(
            "history:get", conversation=entry["id"], after=events[-1]["seq"], limit=100
        )
        events += page["events"]
    await client.close()
    return events


async def sent_away(server: Server) -> list[Talker]:
    """Three who talk while the process gets its SIGTERM, and what they saw of it."""
    ways = {"ann": "websocket", "bob": "websocket", "cat": "polling"}
    talkers = [await arrive(server, user, way) for user, way in ways.items()]
    talks = [asyncio.create_task(talker.talk()) for talker in talkers]
    for talker in talkers:
        await asyncio.wait_for(talker.busy.wait(), WAIT_S)
    stopping = asyncio.create_task(asyncio.to_thread(server.stop))
    seen = await asyncio.wait_for(readiness_until_gone(server.url), WAIT_S)
    await asyncio.wait_for(asyncio.gather(stopping, *talks), WAIT_S)
    assert 503 in seen
    assert server.exit_code == 0
    assert "Traceback" not in server.output, server.output
    for talker in talkers:
        (drain,) = talker.client.all("server:drain")
        assert 500 <= drain["retry_after_ms"] <= 10_000
    return talkers


async def check_resumed(server: Server, talkers: list[Talker]) -> None:
    """Nothing acked is lost, and nothing is in the log that its sender was not told of."""
    acked = {seq: client_id for talker in talkers for client_id, seq in talker.acked.items()}
    for talker in talkers:
        await talker.client.close()
        events = await events_since(server, talker)
        assert [e["seq"] for e in events] == list(range(events[0]["seq"], events[-1]["seq"] + 1))
        sent = {e["seq"]: e["client_id"] for e in events if e["type"] == "message:created"}
        assert sent == {seq: name for seq, name in acked.items() if seq >= events[0]["seq"]}
        assert set(talker.acked) <= set(sent.values())


@pytest.mark.e2e
@pytest.mark.timeout(300)
async def test_sigterm_answers_sends_away_and_loses_nothing(server: Server) -> None:
    talkers = await sent_away(server)
    await asyncio.to_thread(server.start)
    await check_resumed(server, talkers)


@pytest.mark.e2e
@pytest.mark.timeout(300)
async def test_who_is_sent_away_resumes_on_another_node(tmp_path: Path) -> None:
    with two_nodes(tmp_path, **SETTINGS) as nodes:
        await check_resumed(nodes.two, await sent_away(nodes.one))

"""What an app's server sees of what goes on now, and does about it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from signaling.app import Process
from signaling.model import Grants
from tests.conftest import MakeProcess
from tests.media.peers import connection
from tests.redis_server import RedisServer
from tests.signaling.http.callers import Caller, server_of
from tests.signaling.http.streams import offer, post, token
from tests.wire_client import WireClient


@pytest.fixture(autouse=True)
def unconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams whose media never comes stay until somebody ends them."""
    monkeypatch.setattr("media.net.transport.CONNECT_TIMEOUT_S", 3600.0)


class Scene:
    """Ann and Bob in the Room of their group; the app's server, and another app's."""

    def __init__(self, process: Process, client: ClientSession) -> None:
        self.process = process
        self.http = client
        self.ann, self.bob = (WireClient(process.url, name) for name in ("ann", "bob"))
        self.room = ""
        self.seats: dict[str, str] = {}

    async def open(self) -> "Scene":
        self.server = await server_of(self.process, self.http, "demo")
        self.other = await server_of(self.process, self.http, "other")
        for client in (self.ann, self.bob):
            await client.connect()
        made = await self.ann.request(
            "conversation:create", type="group", client_id="g", members=["bob"]
        )
        self.room = made["conversation"]["id"]
        for name, client in (("ann", self.ann), ("bob", self.bob)):
            self.seats[name] = (await client.request("room:join", room=self.room))["participant"]
        return self

    async def close(self) -> None:
        for client in (self.ann, self.bob):
            await client.close()

    def path(self, user: str, more: str = "") -> str:
        return f"/v1/rooms/{self.room}/participants/{self.seats[user]}{more}"


@pytest.fixture
async def scene(process: Process) -> AsyncIterator[Scene]:
    async with ClientSession(process.url) as client:
        made = await Scene(process, client).open()
        yield made
        await made.close()


async def test_rooms_are_listed_with_who_is_in_them(scene: Scene) -> None:
    listed = {"rooms": [{"room": scene.room, "participants": 2}], "next": None}
    assert await scene.server("GET", "/v1/rooms") == (200, listed)
    status, found = await scene.server("GET", f"/v1/rooms/{scene.room}")
    assert status == 200
    people = {one["user"]: one["participant"] for one in found["participants"]}
    assert people == scene.seats
    assert all(one["connected"] for one in found["participants"])
    assert await scene.other("GET", "/v1/rooms") == (200, {"rooms": [], "next": None})
    for caller, path in ((scene.other, f"/v1/rooms/{scene.room}"), (scene.server, "/v1/rooms/x")):
        assert (await caller("GET", path))[0] == 404


async def test_a_participant_is_put_out(scene: Scene) -> None:
    assert (await scene.other("DELETE", scene.path("bob")))[0] == 404
    gone = {"participant": scene.seats["bob"], "user": "bob"}
    assert await scene.server("DELETE", scene.path("bob")) == (200, gone)
    left = await scene.ann.until("participant:left", room=scene.room)
    assert left["participant"] == scene.seats["bob"]
    assert (await scene.server("DELETE", scene.path("bob")))[0] == 404
    status, trail = await scene.server("GET", "/v1/audit?action=participant:*")
    assert status == 200
    (record,) = trail["records"]
    assert (record["action"], record["subject"]) == ("participant:removed", "bob")


async def test_a_participant_is_muted(scene: Scene) -> None:
    muted = await scene.server("POST", scene.path("bob", "/mute"), {"source": "camera"})
    assert muted == (200, {"tracks": []})
    assert (await scene.server("POST", scene.path("bob", "/mute"), {"source": "x"}))[0] == 400
    assert (await scene.other("POST", scene.path("bob", "/mute"), {}))[0] == 404


async def test_it_takes_the_scope(scene: Scene) -> None:
    reader = await server_of(scene.process, scene.http, "demo", ("read",))
    writer = await server_of(scene.process, scene.http, "demo", ("write",))
    assert (await reader("DELETE", scene.path("bob")))[0] == 403
    assert (await writer("GET", "/v1/rooms"))[0] == 403
    assert (await Caller(scene.http, "")("GET", "/v1/rooms"))[0] == 401


async def test_presence_is_read(scene: Scene) -> None:
    await scene.ann.request("presence:set", status="busy", text="in a call")
    status, found = await scene.server("GET", "/v1/users/ann/presence")
    assert status == 200
    assert (found["status"], found["text"], found["devices"]) == ("busy", "in a call", 1)
    _, nobody = await scene.server("GET", "/v1/users/nobody/presence")
    assert (nobody["status"], nobody["last_seen"]) == ("offline", None)
    _, apart = await scene.other("GET", "/v1/users/ann/presence")
    assert apart["status"] == "offline"


@pytest.mark.redis
async def test_rooms_of_another_node_are_seen_and_acted_on(
    make_process: MakeProcess, tmp_path: Path
) -> None:
    redis = RedisServer(tmp_path)
    redis.start()
    try:
        holder, asked = [
            await make_process(**{"redis.url": redis.url, "node": name}) for name in ("a", "b")
        ]
        ann = await WireClient(holder.url, "ann").connect()
        made = await ann.request("conversation:join", alias="hall", create=True)
        seat = await ann.request("room:join", room=made["conversation"]["id"])
        async with ClientSession(asked.url) as client:
            server = await server_of(asked, client, "demo")
            _, found = await server("GET", "/v1/rooms")
            (room,) = found["rooms"]
            path = f"/v1/rooms/{room['room']}"
            _, view = await server("GET", path)
            assert [one["user"] for one in view["participants"]] == ["ann"]
            mute = f"{path}/participants/{seat['participant']}/mute"
            assert await server("POST", mute, {}) == (200, {"tracks": []})
            gone = await server("DELETE", f"{path}/participants/{seat['participant']}")
            assert gone[0] == 200
            await ann.until("participant:left", participant=seat["participant"])
            assert (await server("DELETE", f"{path}/participants/none"))[0] == 404
            peer = connection()
            bearer = await token(holder, "obs", Grants(rooms=("studio",)))
            assert (await post(holder, "/whip/studio", await offer(peer), bearer))[0] == 201
            _, view = await server("GET", "/v1/rooms/studio")
            (stream,) = view["participants"]
            assert (stream["user"], stream["via"]) == ("obs", "whip")
            ended = await server("DELETE", f"/v1/rooms/studio/participants/{stream['participant']}")
            assert ended[0] == 200
            assert (await server("GET", "/v1/rooms"))[1]["rooms"] == []
            await peer.close()
        await ann.close()
        await asked.close()
        await holder.close()
    finally:
        redis.kill()

"""Exports and erasures of a running process, asked for and fetched over REST."""

import hashlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, encode_basic_auth
from socketio import exceptions

from signaling.app import Process
from signaling.auth.registry import now_ms
from signaling.ports import Clock
from tests.conftest import MakeProcess
from tests.wire_client import RequestRefused, WireClient

CONTENT = b"a picture of something" * 1000


class World:
    """A process, its app's server, and people who chat."""

    def __init__(self, process: Process, http: ClientSession) -> None:
        self.process = process
        self.http = http

    async def ask(self, method: str, path: str) -> tuple[int, dict[str, Any]]:
        async with self.http.request(method, path) as answer:
            return answer.status, await answer.json(content_type=None)

    async def job(self, user: str, kind: str) -> dict[str, Any]:
        """Asked for and done."""
        status, asked = await self.ask("POST", f"/v1/users/{user}/{kind}")
        assert (status, asked["state"]) == (202, "queued")
        await self.process.keeping.worker.round()
        _, done = await self.ask("GET", f"/v1/jobs/{asked['job']}")
        assert done["state"] == "done", done
        return done


@pytest.fixture
async def world(make_process: MakeProcess) -> AsyncIterator[World]:
    process = await make_process()
    issued = await process.registry.create_key("demo", "server", ("admin",))
    auth = encode_basic_auth(issued.key.id, issued.secret)
    async with ClientSession(process.url, headers={"Authorization": auth}) as http:
        yield World(process, http)


class Hall:
    """Ann and Bob in a group; Ann has said something and given a file."""

    def __init__(self, world: World) -> None:
        self.ann = WireClient(world.process.url, "ann")
        self.bob = WireClient(world.process.url, "bob")
        self.id = ""
        self.file = ""
        self.first = 0

    async def fill(self) -> None:
        await self.bob.connect()
        joined = await self.bob.request("conversation:join", alias="hall", create=True)
        self.id = joined["conversation"]["id"]
        await self.ann.connect()
        await self.ann.request("conversation:join", conversation=self.id)
        said = {"type": "text", "body": {"text": "my secret"}, "client_id": "m1"}
        self.first = (await self.ann.request("message:send", conversation=self.id, **said))["seq"]
        await self.give()

    async def give(self) -> None:
        offered = await self.ann.request(
            "file:offer",
            conversation=self.id,
            client_id="f1",
            name="p.bin",
            size=len(CONTENT),
            type="x/y",
            sha256=hashlib.sha256(CONTENT).hexdigest(),
        )
        self.file = offered["file"]
        headers = {"Authorization": f"Bearer {self.ann.token}"}
        async with (
            ClientSession(self.ann.url, headers=headers) as http,
            http.put(offered["upload_url"], data=CONTENT) as answer,
        ):
            assert answer.status < 300
        await self.bob.until("message:created", kind="file")

    async def said(self) -> list[Any]:
        history = await self.bob.request("history:get", conversation=self.id, limit=100)
        events = history["events"]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        return [e["body"] for e in events if e["type"] == "message:created"]


@pytest.fixture
async def hall(world: World) -> AsyncIterator[Hall]:
    async with AsyncExitStack() as stack:
        made = Hall(world)
        await made.fill()
        stack.push_async_callback(made.ann.close)
        stack.push_async_callback(made.bob.close)
        yield made


async def test_an_export_has_what_a_user_said_and_gave(world: World, hall: Hall) -> None:
    archive = await archive_of(world, "ann")
    lines = archive.read("messages.ndjson").decode().splitlines()
    bodies = [event.get("body") for event in map(json.loads, lines)]
    assert {"text": "my secret"} in bodies
    assert archive.read(f"files/{hall.file}/p.bin") == CONTENT
    (seat,) = map(json.loads, archive.read("conversations.ndjson").splitlines())
    assert seat["conversation"]["id"] == hall.id
    assert json.loads(archive.read("profile.json"))["user"]["name"] == "Ann"


async def test_guests_inherit_nothing_until_the_apps_server_says_so(world: World) -> None:
    ann, gus = (WireClient(world.process.url, name) for name in ("ann", "gus"))
    for client in (ann, gus):
        await client.connect()
    made = await ann.request("conversation:create", type="group", client_id="g")
    group = made["conversation"]["id"]
    await ann.request("member:add", conversation=group, user="gus", role="guest")
    await world.job("ann", "erase")
    await gus.until("member:left", conversation=group, user="ann")
    members = (await gus.request("member:list", conversation=group))["members"]
    assert [(one["user"], one["role"]) for one in members] == [("gus", "guest")]
    path = f"/v1/conversations/{group}/members/gus?as=gus"
    async with world.http.patch(path, json={"role": "owner"}) as answer:
        assert answer.status == 200
    await gus.until("member:updated", conversation=group, user="gus", role="owner")
    await gus.request("member:add", conversation=group, user="bob")
    await gus.close()
    await ann.close()


async def archive_of(world: World, user: str) -> zipfile.ZipFile:
    done = await world.job(user, "export")
    async with ClientSession(world.process.url) as anyone, anyone.get(done["download_url"]) as got:
        return zipfile.ZipFile(io.BytesIO(await got.read()))


async def test_an_export_has_what_a_user_did_to_messages_and_chose(
    world: World, hall: Hall
) -> None:
    said = {"type": "text", "body": {"text": "bob's"}, "client_id": "b"}
    bobs = (await hall.bob.request("message:send", conversation=hall.id, **said))["seq"]
    for text in ("second thoughts", "third"):
        body = {"text": text}
        await hall.ann.request("message:edit", conversation=hall.id, seq=hall.first, body=body)
    await hall.ann.request("reaction:set", conversation=hall.id, seq=bobs, emoji="🎈", on=True)
    await hall.bob.request("reaction:set", conversation=hall.id, seq=bobs, emoji="🐟", on=True)
    await hall.ann.request("message:report", conversation=hall.id, seq=bobs, reason="rude")
    await hall.ann.request("presence:privacy", status="nobody")
    archive = await archive_of(world, "ann")
    marks = [json.loads(line) for line in archive.read("marks.ndjson").splitlines()]
    bodies = [mark["body"] for mark in marks if mark["type"] == "message:edited"]
    assert bodies == [{"text": "second thoughts"}, {"text": "third"}]
    assert [mark["emoji"] for mark in marks if mark["type"] == "reaction:changed"] == ["🎈"]
    profile = json.loads(archive.read("profile.json"))
    assert [(one["seq"], one["reason"]) for one in profile["reports"]] == [(bobs, "rude")]
    assert "bob's" not in json.dumps(profile)
    assert profile["privacy"]["presence"] == "nobody"


async def test_an_archive_needs_its_link_and_has_its_time(
    world: World, hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = await world.job("bob", "export")
    path = done["download_url"].split("?")[0]
    assert (await world.ask("GET", path))[0] == 403
    later: Clock = lambda: done["expires_at"]  # noqa: E731
    monkeypatch.setattr(world.process.keeping.worker, "_clock", later)
    await world.process.keeping.worker.round()
    assert (await world.ask("GET", done["download_url"]))[0] == 404
    assert "download_url" not in (await world.ask("GET", f"/v1/jobs/{done['job']}"))[1]


async def test_an_erased_user_is_gone_and_the_log_keeps_its_order(world: World, hall: Hall) -> None:
    before = await hall.said()
    await world.job("ann", "erase")
    await hall.ann.disconnected.wait()
    assert await hall.said() == [None] * len(before)
    left = await hall.bob.until("member:left", user="ann")
    assert left["reason"] == "erased"
    with pytest.raises(RequestRefused, match="not_found"):
        await hall.bob.request("file:fetch", file=hall.file, offset=0)
    assert [path async for path in blobs(world)] == []
    found = await hall.bob.request("message:search", query="secret", limit=10)
    assert found["events"] == []


async def test_an_erased_users_token_opens_no_door(world: World, hall: Hall) -> None:
    await world.job("ann", "erase")
    await hall.ann.disconnected.wait()
    headers = {"Authorization": f"Bearer {hall.ann.token}"}
    async with (
        ClientSession(world.process.url, headers=headers) as http,
        http.get("/v1/conversations") as answer,
    ):
        assert answer.status == 401
    again = WireClient(world.process.url, "ann", token=hall.ann.token)
    with pytest.raises(exceptions.ConnectionError):
        await again.connect()
    await again.close()


async def test_what_was_to_be_sent_later_goes_before_anything_else(
    world: World, hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = now_ms() + 3_600_000
    said = {"type": "text", "body": {"text": "later"}, "client_id": "s1", "send_at": later}
    await hall.ann.request("message:send", conversation=hall.id, **said)
    waiting = world.process.moderating.bans._waiting
    assert len(await waiting.of("demo", "ann")) == 1

    async def looked(*page: Any) -> Any:
        assert await waiting.of("demo", "ann") == []
        return await blank(*page)

    erase: Any = world.process.keeping.worker._works["erase"]
    blank = erase._personal.blank
    monkeypatch.setattr(erase._personal, "blank", looked)
    await world.job("ann", "erase")


async def test_archives_of_an_erased_user_go_at_once(world: World, hall: Hall) -> None:
    done = await world.job("ann", "export")
    kept = await world.job("bob", "export")
    await world.job("ann", "erase")
    assert (await world.ask("GET", done["download_url"]))[0] == 404
    assert [key async for key in blobs(world)] == [f"exports/demo/{kept['job']}-1.zip"]
    assert "download_url" not in (await world.ask("GET", f"/v1/jobs/{done['job']}"))[1]


async def test_what_a_killed_export_left_goes_with_the_next(
    world: World, hall: Hall, tmp_path: Path
) -> None:
    left = tmp_path / "left"
    left.write_bytes(b"private")
    async with world.process.keeping.worker._turn:  # it looks for work by itself, too
        _, asked = await world.ask("POST", "/v1/users/ann/export")
        job = await world.process.keeping.worker._jobs.take("dead", 1, 2, 9)
        assert job is not None
        await world.process.blobs.put_file(f"exports/demo/{asked['job']}-1.zip", str(left))
    await world.process.keeping.worker.round()
    kept = [key async for key in blobs(world) if key.startswith("exports/")]
    assert kept == [f"exports/demo/{asked['job']}-2.zip"]
    await world.process.blobs.put_file(f"exports/demo/{asked['job']}-1.zip", str(left))
    await world.job("ann", "erase")
    assert [key async for key in blobs(world)] == []


async def test_the_last_owner_hands_on(world: World, hall: Hall) -> None:
    await hall.ann.request("message:send", conversation=hall.id, type="x", body={}, client_id="x")
    await world.job("bob", "erase")  # who made the group
    updated = await hall.ann.until("member:updated", user="ann")
    left = await hall.ann.until("member:left", user="bob")
    assert (updated["role"], updated["seq"]) == ("owner", left["seq"] - 1)
    found = await hall.ann.request("member:list", conversation=hall.id, limit=10)
    assert [(one["user"], one["role"]) for one in found["members"]] == [("ann", "owner")]


async def test_an_erasure_makes_nobody_active(world: World, hall: Hall) -> None:
    counted = await active(world)
    await world.job("ann", "erase")
    assert await active(world) == counted >= 2


async def active(world: World) -> int:
    """In all months of late: one may end while a test runs."""
    await world.process.accounting.metering.catch_up()
    _, usage = await world.ask("GET", "/v1/usage?granularity=month")
    return sum(month["active_users"] for month in usage["points"])


async def blobs(world: World) -> AsyncIterator[str]:
    async for key in world.process.blobs.keys(2**42):
        yield key


async def test_only_an_admin_key_may_ask(world: World, hall: Hall) -> None:
    issued = await world.process.registry.create_key("demo", "small", ("read", "write"))
    auth = encode_basic_auth(issued.key.id, issued.secret)
    async with ClientSession(world.process.url, headers={"Authorization": auth}) as http:
        async with http.post("/v1/users/ann/erase") as answer:
            assert answer.status == 403
        async with http.get("/v1/jobs") as answer:
            assert answer.status == 403


async def test_jobs_of_another_app_do_not_exist(world: World, hall: Hall) -> None:
    done = await world.job("ann", "export")
    other = await world.process.registry.create_app("Other")
    issued = await world.process.registry.create_key(other.id, "server", ("admin",))
    auth = encode_basic_auth(issued.key.id, issued.secret)
    async with ClientSession(world.process.url, headers={"Authorization": auth}) as http:
        async with http.get(f"/v1/jobs/{done['job']}") as answer:
            assert answer.status == 404
        async with http.get("/v1/jobs") as answer:
            assert (await answer.json())["jobs"] == []

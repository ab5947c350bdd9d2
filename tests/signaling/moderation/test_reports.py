"""The report queue in a running process, for members, admins and the app's server."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from signaling.errors import Refused
from signaling.model import Grants, Identity
from signaling.moderation.report import Report
from signaling.protocol.moderation import ResolveReport
from tests.signaling.moderation.conftest import World
from tests.wire_client import RequestRefused, WireClient


class Hall:
    """Ann owns it, Bob says something bad, Cid reports it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ann, self.bob, self.cid = (
            WireClient(world.process.url, name) for name in ("ann", "bob", "cid")
        )
        self.id = ""
        self.seq = 0

    async def open(self) -> "Hall":
        await self.ann.connect()
        joined = await self.ann.request("conversation:join", alias="hall", create=True)
        self.id = joined["conversation"]["id"]
        for client in (self.bob, self.cid):
            await client.connect()
            await client.request("conversation:join", conversation=self.id)
        self.seq = await self.say("rude")
        return self

    async def say(self, text: str) -> int:
        sent = {"client_id": text, "type": "text", "body": {"text": text}}
        return int((await self.bob.request("message:send", conversation=self.id, **sent))["seq"])

    async def report(self, seq: int = 0) -> dict[str, Any]:
        return await self.cid.request(
            "message:report", conversation=self.id, seq=seq or self.seq, reason="rude"
        )

    async def close(self) -> None:
        for client in (self.ann, self.bob, self.cid):
            await client.close()


@pytest.fixture
async def hall(world: World) -> AsyncIterator[Hall]:
    made = await Hall(world).open()
    yield made
    await made.close()


async def refused(asking: Any) -> str:
    with pytest.raises(RequestRefused) as caught:
        await asking
    return caught.value.code


async def root(hall: Hall) -> WireClient:
    """A socket with the grant of an administrator, who is in no conversation."""
    process = hall.world.process
    key = await process.registry.create_key("demo", "signing", ("tokens",))
    client = WireClient(process.url, "root")
    client.token = await process.guarding.tokens.mint(key.key.id, "root", grants=Grants(admin=True))
    return await client.connect()


async def test_a_report_is_made_once_and_seen_by_admins(hall: Hall) -> None:
    boss = await root(hall)
    first = await hall.report()
    told = await boss.until("report:created", report=first["report"])
    assert (told["sender"], told["reporter"], told["seq"]) == ("bob", "cid", hall.seq)
    assert "message" not in told
    assert await hall.report() == {**first, "duplicate": True}
    for listed in (
        await hall.ann.request("report:list", conversation=hall.id),
        await boss.request("report:list"),
        await hall.world.ask("GET", "/reports"),
    ):
        (report,) = listed["reports"]
        assert report["message"]["body"] == {"text": "rude"}
    await boss.close()


async def test_who_may_report_and_see_what(hall: Hall) -> None:
    own = hall.bob.request("message:report", conversation=hall.id, seq=hall.seq, reason="x")
    assert await refused(own) == "bad_request"
    assert await refused(hall.report(1)) == "not_found"
    assert await refused(hall.report(999)) == "not_found"
    dan = await WireClient(hall.world.process.url, "dan").connect()
    stranger = dan.request("message:report", conversation=hall.id, seq=hall.seq, reason="x")
    assert await refused(stranger) == "not_found"
    name = (await hall.report())["report"]
    assert await refused(hall.cid.request("report:list", conversation=hall.id)) == "forbidden"
    assert await refused(hall.ann.request("report:list")) == "forbidden"
    resolve = {"report": name, "action": "dismiss"}
    assert await refused(hall.cid.request("report:resolve", **resolve)) == "forbidden"
    assert await refused(dan.request("report:resolve", **resolve)) == "not_found"
    suspend = {"report": name, "action": "suspend"}
    assert await refused(hall.ann.request("report:resolve", **suspend)) == "forbidden"
    await dan.close()


@pytest.mark.parametrize("action", ["dismiss", "recall", "mute", "kick", "ban"])
async def test_an_admin_resolves_with_an_action(hall: Hall, action: str) -> None:
    name = (await hall.report())["report"]
    done = await hall.ann.request("report:resolve", report=name, action=action, note="see rules")
    report = done["report"]
    assert (report["state"], report["action"], report["message"]) == ("resolved", action, None)
    again = hall.ann.request("report:resolve", report=name, action=action)
    assert await refused(again) == "conflict"
    await check(hall, action)
    (act,) = await hall.world.acts("report:resolved")
    assert (act["actor"], act["subject"]) == ("user:ann", name)
    assert act["details"] == {"action": action, "user": "bob", "note": "see rules"}


async def check(hall: Hall, action: str) -> None:
    page = await hall.ann.request("history:get", conversation=hall.id)
    (kept,) = (event for event in page["events"] if event["seq"] == hall.seq)
    assert (kept["body"] is None) == (action == "recall")
    if action == "mute":
        assert await refused(hall.say("again")) == "forbidden"
    if action in ("kick", "ban"):
        assert await refused(hall.say("again")) == "not_found"
        back = hall.bob.request("conversation:join", conversation=hall.id)
        if action == "ban":
            assert await refused(back) == "forbidden"
        else:
            await back


async def test_of_two_who_resolve_at_a_time_one_acts(hall: Hall) -> None:
    """The one who comes second must not have muted or banned anybody."""
    report = (await hall.report())["report"]
    reports = hall.world.process.moderating.reports
    inside, go = asyncio.Event(), asyncio.Event()
    acted: list[str] = []

    async def slow(who: Identity, report: Report, request: ResolveReport) -> None:
        acted.append(request.action)
        inside.set()
        await go.wait()

    reports.acts["mute"] = reports.acts["kick"] = slow
    path = f"/reports/{report}/resolve"
    first = asyncio.create_task(hall.world.ask("POST", path, {"action": "mute"}))
    await asyncio.wait_for(inside.wait(), 60)
    await hall.world.ask("POST", path, {"action": "kick"}, 409)
    go.set()
    await first
    assert acted == ["mute"]


async def test_a_report_whose_act_is_refused_stays_open(hall: Hall) -> None:
    report = (await hall.report())["report"]
    await hall.bob.request("conversation:leave", conversation=hall.id)
    path = f"/reports/{report}/resolve"
    await hall.world.ask("POST", path, {"action": "kick"}, 404)
    await hall.world.ask("POST", path, {"action": "dismiss"})
    await hall.world.ask("POST", path, {"action": "dismiss"}, 409)


async def test_the_apps_server_resolves_for_itself_also_with_suspension(hall: Hall) -> None:
    name = (await hall.report())["report"]
    wish = {"action": "suspend", "note": "fraud"}
    done = await hall.world.ask("POST", f"/reports/{name}/resolve", wish)
    assert done["report"]["resolved_by"] == "app"
    await hall.bob.disconnected.wait()
    listed = await hall.world.ask("GET", "/reports?state=resolved")
    assert [report["report"] for report in listed["reports"]] == [name]
    assert (await hall.world.ask("GET", "/bans"))["bans"][0]["reason"] == "fraud"


async def test_the_app_takes_a_message_back_from_outside_in_a_direct_talk(hall: Hall) -> None:
    made = await hall.bob.request(
        "conversation:create", type="direct", members=["cid"], client_id="d"
    )
    hall.id = made["conversation"]["id"]
    name = (await hall.report(await hall.say("nasty")))["report"]
    assert await refused(hall.cid.request("report:list", conversation=hall.id)) == "forbidden"
    await hall.world.ask("POST", f"/reports/{name}/resolve", {"action": "recall"})
    page = await hall.cid.request("history:get", conversation=hall.id)
    recalled = page["events"][-1]
    assert (recalled["type"], recalled["by"]) == ("message:recalled", "@app")


async def test_webhooks_hear_of_reports(hall: Hall) -> None:
    heard: list[tuple[str, str, Any]] = []

    class News:
        async def put(self, news: Any) -> None:
            heard.append((news.app, news.type, news.data["report"]))

    hall.world.process.moderating.listen(News())  # type: ignore[arg-type]
    name = (await hall.report())["report"]
    await hall.ann.request("report:resolve", report=name, action="dismiss")
    assert heard == [("demo", "report:created", name), ("demo", "report:resolved", name)]


async def test_erasing_a_user_empties_their_part_of_the_queue(hall: Hall) -> None:
    await hall.report()
    await hall.world.process.moderating.forget("demo", "bob")
    (report,) = (await hall.world.ask("GET", "/reports"))["reports"]
    assert report["message"] is None
    await hall.world.process.moderating.forget("demo", "cid")
    assert (await hall.world.ask("GET", "/reports"))["reports"] == []


async def test_nobody_is_called_like_the_app(hall: Hall) -> None:
    key = await hall.world.process.registry.create_key("demo", "signing", ("tokens",))
    with pytest.raises(Refused):
        await hall.world.process.guarding.tokens.mint(key.key.id, "@app")

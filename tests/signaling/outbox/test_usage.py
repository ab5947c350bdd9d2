"""Usage and plans of a running process: what is let through, what is refused, who is told."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from signaling.app import Process
from signaling.client import Client
from signaling.config import ConfigError, PlanSettings, load
from signaling.errors import Refused
from signaling.outbox.usage import Plan, Totals, reached, spanned
from tests.conftest import UNHURRIED
from tests.receiver import Receiver
from tests.wire_client import WireClient

MASTER_KEY = "t3st-0nly-mAster-key-of-at-least-32-chars"
AUDIO = b"0123456789" * 10


class World:
    """A process with one app on a plan."""

    def __init__(self, process: Process, http: aiohttp.ClientSession, auth: dict[str, str]) -> None:
        self.process = process
        self.url = process.url
        self.http = http
        self.auth = auth

    async def call(self, method: str, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        given = {"json": body} if body or method in ("POST", "PUT") else {}
        send = self.http.request(method, self.url + path, headers=self.auth, **given)
        async with send as answer:
            return answer.status, await answer.json(content_type=None)

    async def token(self, user: str, *, admin: bool = False) -> str:
        _, answer = await self.call(
            "POST", "/v1/tokens", user=user, grants={"admin": True} if admin else {}
        )
        return str(answer["token"])

    async def client(self, user: str) -> Client:
        return Client(self.url, await self.token(user), device=user, timeout_s=60)


@asynccontextmanager
async def world(folder: Path, **plan: int) -> AsyncIterator[World]:
    options = {
        "http.port": 0,
        **UNHURRIED,
        "media.enabled": False,
        "storage.data_dir": folder,
        "master_key": MASTER_KEY,
        "http.webhooks_to_private": True,
        "gateway.drain_ms": 0,
        "plans.free": plan,
        "plans.pro": {"messages": 1000},
    }
    process = Process(load(env={}, options=options))
    await process.start()
    try:
        async with aiohttp.ClientSession() as http:
            if not await process.registry.apps():
                await process.registry.create_app("Shop", "shop")
            scopes = ("admin", "tokens", "read", "write", "operator")
            issued = await process.registry.create_key("shop", "server", scopes)
            auth = aiohttp.encode_basic_auth(issued.key.id, issued.secret)
            yield World(process, http, {"Authorization": auth})
    finally:
        await process.close()


async def place_of(client: Client, *members: str) -> str:
    made = await client.request("conversation:create", type="group", members=members, client_id="g")
    return str(made["conversation"]["id"])


async def test_the_plan_is_exact_and_a_resend_is_still_answered(tmp_path: Path) -> None:
    async with world(tmp_path, messages=10) as house, await house.client("ann") as ann:
        place = await place_of(ann)

        codes: list[str] = []

        async def send(number: int) -> bool:
            try:
                await ann.request(
                    "message:send",
                    conversation=place,
                    client_id=f"m{number}",
                    type="text",
                    body={"text": "x"},
                )
            except Refused as refused:
                codes.append(refused.code)
                return False
            return True

        first = [await send(number) for number in range(4)]
        await house.process.accounting.round()
        rest = await asyncio.gather(*(send(number) for number in range(4, 20)))
        assert sum(first) + sum(rest) == 10
        assert set(codes) == {"quota_exceeded"}
        assert await send(0), "what is in the log already is answered as before"
        await house.process.accounting.round()
        assert not await send(30)
        status, usage = await house.call("GET", "/v1/usage")
        assert status == 200
        assert usage["used"]["messages"] == 10
        assert [notice["level"] for notice in usage["notices"]] == ["warning", "exceeded"]


async def test_rest_is_held_to_the_plan_too(tmp_path: Path) -> None:
    async with world(tmp_path, messages=1) as house:
        async with await house.client("ann") as ann:
            place = await place_of(ann)
        path = f"/v1/conversations/{place}/messages?as=ann"
        body = {"type": "text", "body": {"text": "x"}}
        assert (await house.call("POST", path, client_id="a", **body))[0] == 201
        status, problem = await house.call("POST", path, client_id="b", **body)
        assert (status, problem["code"]) == (problem["status"], "quota_exceeded")


async def test_counting_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with world(tmp_path, messages=3) as house, await house.client("ann") as ann:
        place = await place_of(ann)
        for _ in range(2):
            await ann.send(place, {"text": "x"})
    async with world(tmp_path, messages=3) as house, await house.client("ann") as ann:
        await ann.send(place, {"text": "x"})
        with pytest.raises(Refused, match="allows 3 messages"):
            await ann.send(place, {"text": "x"})


async def test_admins_and_webhooks_are_told_once_a_threshold(
    tmp_path: Path, receiver: Receiver
) -> None:
    async with world(tmp_path, messages=5) as house:
        began = datetime.now(UTC).date().isoformat()[:7]
        await house.call("POST", "/v1/webhooks", url=receiver.url, events=["usage:*"])
        admin = WireClient(house.url, "boss", token=await house.token("boss", admin=True))
        plain = WireClient(house.url, "eve", token=await house.token("eve"))
        await admin.connect()
        await plain.connect()
        async with await house.client("ann") as ann:
            place = await place_of(ann)
            for _ in range(4):
                await ann.send(place, {"text": "x"})
            warned = await admin.until("usage:warning")
            for _ in range(2):
                await house.process.accounting.round()
            await ann.send(place, {"text": "x"})
            over = await admin.until("usage:exceeded")
        for _ in range(2):
            await house.process.accounting.round()
        months = {began, datetime.now(UTC).date().isoformat()[:7]}
        assert (warned["metric"], warned["used"], warned["limit"]) == ("messages", 4, 5)
        assert over["level"] == "exceeded"
        assert over["period"] in months
        told = [await receiver.next() for _ in range(2)]
        assert [b'"usage:warning"' in body for _, body in told] == [True, False]
        assert len(admin.all("usage:warning")) == len(admin.all("usage:exceeded")) == 1
        assert plain.all("usage:warning") == []
        assert receiver.got.empty()
        await admin.close()
        await plain.close()


async def test_a_new_user_over_the_limit_reads_but_does_not_act(tmp_path: Path) -> None:
    async with (
        world(tmp_path, active_users=2) as house,
        await house.client("ann") as ann,
        await house.client("bob") as bob,
        await house.client("cy") as cy,
    ):
        place = await place_of(ann, "bob", "cy")
        await ann.send(place, {"text": "x"})
        await bob.send(place, {"text": "x"})
        with pytest.raises(Refused) as refused:
            await cy.send(place, {"text": "x"})
        assert refused.value.code == "quota_exceeded"
        await house.process.accounting.round()
        with pytest.raises(Refused):
            await cy.send(place, {"text": "x"})
        await bob.send(place, {"text": "x"})
        await cy.request("history:get", conversation=place, limit=5)


async def test_connections_are_counted_while_they_last(tmp_path: Path) -> None:
    async with world(tmp_path, connections=2) as house:
        ann = await (await house.client("ann")).__aenter__()
        async with await house.client("bob"):
            cy = await house.client("cy")
            with pytest.raises(Refused) as refused:
                await cy.connect()
            assert refused.value.code == "quota_exceeded"
        await ann.close()
        async with asyncio.timeout(60):
            while house.process.accounting.quota._here:  # until both goings were noticed
                await asyncio.sleep(0.01)
        async with await house.client("cy"):
            await house.process.accounting.round()
        _, usage = await house.call("GET", "/v1/usage")
        assert usage["used"]["connections"] == 2
        assert {notice["metric"] for notice in usage["notices"]} == {"connections"}


async def test_files_have_the_plan_s_space(tmp_path: Path) -> None:
    async with world(tmp_path, stored_bytes=150) as house, await house.client("ann") as ann:
        place = await place_of(ann)

        def offer(client_id: str, content: bytes) -> dict[str, Any]:
            return {
                "conversation": place,
                "client_id": client_id,
                "name": "a.bin",
                "size": len(content),
                "type": "application/octet-stream",
                "sha256": hashlib.sha256(content).hexdigest(),
            }

        offered = await ann.request("file:offer", **offer("one", AUDIO))
        url = f"{house.url}/v1/files/{offered['file']}?as=ann"
        async with house.http.put(url, data=AUDIO, headers=house.auth) as answer:
            assert answer.status == 201
        with pytest.raises(Refused) as refused:
            await ann.request("file:offer", **offer("two", AUDIO[:60]))
        assert refused.value.code == "quota_exceeded"
        again = await ann.request("file:offer", **offer("one", AUDIO))
        assert again["file"] == offered["file"]
        await house.process.accounting.stored()
        _, usage = await house.call("GET", "/v1/usage")
        assert usage["used"]["stored_bytes"] == len(AUDIO)


async def test_calls_have_the_plan_s_minutes(tmp_path: Path) -> None:
    async with (
        world(tmp_path, call_minutes=0) as house,
        await house.client("ann") as ann,
        await house.client("bob"),
    ):
        place = await place_of(ann, "bob")
        with pytest.raises(Refused) as refused:
            await ann.request("call:invite", conversation=place, media="audio", client_id="c")
        assert refused.value.code == "quota_exceeded"


async def test_an_operator_gives_another_plan(tmp_path: Path) -> None:
    async with world(tmp_path, messages=1) as house, await house.client("ann") as ann:
        place = await place_of(ann)
        await ann.send(place, {"text": "x"})
        with pytest.raises(Refused):
            await ann.send(place, {"text": "x"})
        status, answer = await house.call("PUT", "/v1/apps/shop/plan", plan="gold")
        assert status == 400
        assert "free, pro, unlimited" in answer["detail"]
        status, answer = await house.call("PUT", "/v1/apps/shop/plan", plan="pro")
        assert (status, answer["plan"]["limits"]["messages"]) == (200, 1000)
        await house.process.accounting.round()
        await ann.send(place, {"text": "x"})
        _, plans = await house.call("GET", "/v1/plans")
        assert [plan["name"] for plan in plans["plans"]] == ["free", "pro"]
        _, usage = await house.call("GET", "/v1/apps/shop/usage?granularity=month")
        assert usage["plan"]["name"] == "pro"


async def test_an_app_does_not_choose_its_plan(tmp_path: Path) -> None:
    async with world(tmp_path, messages=1) as house:
        issued = await house.process.registry.create_key(
            "shop", "own", ("admin", "tokens", "read", "write")
        )
        house.auth = {"Authorization": aiohttp.encode_basic_auth(issued.key.id, issued.secret)}
        assert (await house.call("PUT", "/v1/apps/shop/plan", plan="pro"))[0] == 403
        assert (await house.call("GET", "/v1/plans"))[0] == 403
        assert (await house.call("GET", "/v1/usage"))[0] == 200


async def test_points_have_no_gaps(tmp_path: Path) -> None:
    async with world(tmp_path) as house:
        _, usage = await house.call("GET", "/v1/usage?from=2026-01-30&to=2026-02-02")
        assert [point["period"] for point in usage["points"]] == [
            "2026-01-30",
            "2026-01-31",
            "2026-02-01",
            "2026-02-02",
        ]
        assert usage["points"][0] == {
            "period": "2026-01-30",
            "messages": 0,
            "active_users": 0,
            "connections": 0,
            "stored_bytes": 0,
            "call_minutes": 0,
        }
        _, usage = await house.call("GET", "/v1/usage")
        assert len(usage["points"]) == 30
        for wrong in ("from=x", "from=2026-02-02&to=2026-02-01", "granularity=hour"):
            assert (await house.call("GET", f"/v1/usage?{wrong}"))[0] == 400


def test_thresholds() -> None:
    plan = Plan(name="p", messages=10, call_minutes=0)
    for messages, levels in ((7, []), (8, ["warning"]), (10, ["warning", "exceeded"])):
        found = reached("a", plan, Totals(messages=messages), "2026-11", 1)
        assert [one.level for one in found if one.metric == "messages"] == levels


def test_months_are_spanned() -> None:
    assert spanned("2025-12-31", "2026-02-01", "month") == ["2025-12", "2026-01", "2026-02"]
    with pytest.raises(Refused):
        spanned("2024-01-01", "2026-01-01", "day")


def test_plans_are_read_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('[plans.free]\nmessages = 1000\nstored_bytes = "1GiB"\n[plans.pro]\n')
    plans = load(path, env={}).plans
    assert plans["free"] == PlanSettings(messages=1000, stored_bytes=2**30)
    assert plans["pro"] == PlanSettings()
    for text, said in (
        ("[plans.free]\nmesages = 1", "did you mean 'messages'"),
        ("[plans.free]\nmessages = -1", "negative"),
        ('[usage]\ndefault_plan = "gold"', r"no \[plans.gold\]"),
        ("[plans]\nfree = 3", "expected a table"),
    ):
        path.write_text(text)
        with pytest.raises(ConfigError, match=said):
            load(path, env={})

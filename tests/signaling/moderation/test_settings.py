"""An app's settings and its audit trail over REST."""

import asyncio
from typing import Any

import pytest
from aiohttp import encode_basic_auth
from msgspec.structs import replace

from signaling.http.audited import ACTS
from signaling.model import App
from signaling.moderation.settings import SettingsAtHand
from signaling.protocol.management import MANAGEMENT
from tests.signaling.moderation.conftest import World


async def test_settings_are_typed_merged_and_set_back(world: World) -> None:
    assert (await world.ask("GET", "/app/settings")) == {"settings": {}}
    await world.ask("PATCH", "/app/settings", {"recall_limit_ms": 60_000, "slow_mode_ms": 5})
    changed = await world.ask(
        "PATCH", "/app/settings", {"slow_mode_ms": None, "word_filter": {"words": ["bad"]}}
    )
    assert changed["settings"] == {"recall_limit_ms": 60_000, "word_filter": {"words": ["bad"]}}
    assert (await world.ask("GET", "/app/settings"))["settings"] == changed["settings"]


class SlowStore:
    """What it has found arrives when it is let."""

    def __init__(self) -> None:
        self.app = App(id="demo", name="Demo", created_at=1)
        self.asked, self.arrives = asyncio.Event(), asyncio.Event()

    async def get(self, app: str) -> App:
        found = self.app
        self.asked.set()
        await self.arrives.wait()
        return found


async def test_a_change_holds_at_once_whoever_was_just_reading() -> None:
    store = SlowStore()
    settings = SettingsAtHand(store, lambda: 1_000)
    reading = asyncio.create_task(settings("demo"))
    await store.asked.wait()
    store.app = replace(store.app, settings={"slow_mode_ms": 5})
    settings.forget("demo")
    store.arrives.set()
    assert (await reading).slow_mode_ms == 0
    assert (await settings("demo")).slow_mode_ms == 5


@pytest.mark.parametrize(
    "wish",
    [
        {"colour": "red"},
        {"word_filter": {"words": [""]}},
        {"word_filter": {"words": ["x"], "extra": 1}},
        {"word_filter": {"action": "shout"}},
        {"pre_send": {"url": "ftp://example.com"}},
        {"pre_send": {"fail": "open"}},
        {"recall_limit_ms": -1},
        {"presence": {"status": "friends"}},
        {"retention_days": {"party": 1}},
    ],
)
async def test_settings_of_another_shape_are_refused(world: World, wish: dict[str, Any]) -> None:
    refused = await world.ask("PATCH", "/app/settings", wish, status=400)
    assert refused["code"] == "bad_request"
    assert (await world.ask("GET", "/app/settings"))["settings"] == {}
    await world.ask("PATCH", "/app", {"settings": wish}, status=400)


async def test_acts_of_keys_are_written_down_with_who_did_them(world: World) -> None:
    made = await world.ask("POST", "/keys", {"name": "second", "scopes": ["read"]}, status=201)
    await world.ask("POST", f"/keys/{made['key']}/rotate", {"overlap_s": 60}, status=201)
    await world.ask("DELETE", f"/keys/{made['key']}")
    await world.ask("PATCH", "/app/settings", {"recall_limit_ms": 7})
    acts = await world.acts()
    actor = f"key:{world.key}"
    assert [act["action"] for act in acts if act["actor"] == actor] == [
        "app:updated",
        "key:revoked",
        "key:rotated",
        "key:created",
        "key:created",
    ]
    assert acts[0]["details"] == {"settings": {"recall_limit_ms": 7}}
    assert made["secret"] not in str(acts)
    assert {act["action"] for act in await world.acts("key:*")} < {a["action"] for a in acts}
    verdict = await world.ask("GET", "/audit/verify")
    assert (verdict["records"], verdict["broken_at"]) == (len(acts), None)


async def test_the_trail_is_paged_by_cursor(world: World) -> None:
    for number in range(3):
        await world.ask("PATCH", "/app/settings", {"recall_limit_ms": number})
    first = await world.ask("GET", "/audit?limit=2")
    second = await world.ask("GET", f"/audit?limit=2&cursor={first['next']}")
    numbers = [act["number"] for act in first["records"] + second["records"]]
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) == 4


async def test_the_trail_takes_an_admin_key(world: World) -> None:
    issued = await world.process.registry.create_key("demo", "reader", ("read",))
    headers = {"Authorization": encode_basic_auth(issued.key.id, issued.secret)}
    for path in ("/audit", "/audit/verify"):
        async with world.http.get(f"/v1{path}", headers=headers) as answer:
            assert answer.status == 403


def test_every_path_is_in_the_document() -> None:
    paths = {managing.path for managing in MANAGEMENT}
    assert {"/app/settings", "/audit", "/audit/verify"} <= paths


async def test_acts_on_webhooks_users_and_tokens_are_written_down(world: World) -> None:
    made = await world.ask(
        "POST", "/webhooks", {"url": "http://127.0.0.1:9/x", "events": ["*"]}, status=201
    )
    await world.ask("DELETE", f"/webhooks/{made['webhook']}")
    await world.ask("DELETE", f"/webhooks/{made['webhook']}", status=404)
    await world.ask("POST", "/users/ann/export", status=202)
    await world.ask("POST", "/users/ann/erase", status=202)
    await world.ask("POST", "/users/ann/sign-out")
    acts = [(act["action"], act["subject"]) for act in await world.acts()][:5]
    assert acts == [
        ("user:signed_out", "ann"),
        ("user:erase_asked", "ann"),
        ("user:export_asked", "ann"),
        ("webhook:removed", made["webhook"]),
        ("webhook:created", made["webhook"]),
    ]


def test_every_path_watched_exists() -> None:
    paths = {(managing.method, f"/v1{managing.path}") for managing in MANAGEMENT}
    assert set(ACTS) <= paths

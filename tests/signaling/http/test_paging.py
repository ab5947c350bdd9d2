"""Lists come in pages: `cursor`, `limit`, `next`; together they are the whole, once, in order."""

import time
from typing import Any

import pytest
from aiohttp import ClientSession

from signaling.app import Process
from signaling.errors import Refused
from signaling.http.paging import opened, sealed
from tests.signaling.http.callers import Caller, server_of, user_of


async def all_of(caller: Caller, path: str, listed: str, limit: int) -> list[Any]:
    """Every row, page by page."""
    rows: list[Any] = []
    cursor = ""
    while True:
        mark = "&" if "?" in path else "?"
        status, page = await caller("GET", f"{path}{mark}limit={limit}{cursor}")
        assert status == 200, page
        assert len(page[listed]) <= limit
        rows += page[listed]
        if page["next"] is None:
            return rows
        cursor = f"&cursor={page['next']}"


async def test_keys_users_and_conversations_of_an_app(process: Process) -> None:
    async with ClientSession(process.url) as client:
        server = await server_of(process, client, "acme")
        for number in range(5):
            await server("POST", "/v1/keys", {"name": str(number)})
            await server(
                "POST",
                f"/v1/conversations?as=user-{number}",
                {"type": "group", "title": f"Tea {number}", "client_id": "1"},
            )
        keys = await all_of(server, "/v1/keys", "keys", 2)
        assert [key["name"] for key in keys] == ["test", "0", "1", "2", "3", "4"]
        talks = await all_of(server, "/v1/app/conversations", "conversations", 2)
        assert [talk["title"] for talk in talks] == [f"Tea {number}" for number in (4, 3, 2, 1, 0)]
        found = await all_of(server, "/v1/app/conversations?query=tea%203", "conversations", 2)
        assert [talk["title"] for talk in found] == ["Tea 3"]
        members = await all_of(
            server, f"/v1/app/conversations/{talks[0]['id']}/members", "members", 1
        )
        assert [(member["user"], member["role"]) for member in members] == [("user-4", "owner")]


async def test_a_log_in_both_directions(process: Process) -> None:
    async with ClientSession(process.url) as client:
        ann = await user_of(client, await server_of(process, client, "acme"), "ann")
        _, made = await ann("POST", "/v1/conversations", {"type": "group", "client_id": "1"})
        path = f"/v1/conversations/{made['conversation']['id']}"
        for number in range(7):
            body = {"type": "text", "client_id": f"m{number}", "body": {"text": str(number)}}
            await ann("POST", f"{path}/messages", body)
        forward = await all_of(ann, f"{path}/events?after=0", "events", 3)
        seqs = [event["seq"] for event in forward]
        assert seqs == list(range(1, seqs[-1] + 1))
        backward = await all_of(ann, f"{path}/events", "events", 3)
        assert sorted(event["seq"] for event in backward) == seqs
        listed = await all_of(ann, "/v1/conversations", "conversations", 1)
        assert len(listed) == 1
        found = await all_of(ann, "/v1/messages?query=4", "events", 1)
        assert len(found) <= 1


async def test_invitations_and_messages_that_wait(process: Process) -> None:
    async with ClientSession(process.url) as client:
        ann = await user_of(client, await server_of(process, client, "acme"), "ann")
        _, made = await ann("POST", "/v1/conversations", {"type": "group", "client_id": "1"})
        path = f"/v1/conversations/{made['conversation']['id']}"
        then = round(time.time() + 3600) * 1000
        invites, waiting = set(), set()
        for number in range(3):
            _, invite = await ann("POST", f"{path}/invites", {})
            invites.add(invite["invite"]["id"])
            said = {"type": "text", "client_id": f"m{number}", "body": {"text": "later"}}
            _, later = await ann("POST", f"{path}/messages", {**said, "send_at": then})
            waiting.add(later["scheduled"])
        found = await all_of(ann, f"{path}/invites", "invites", 1)
        assert len(found) == 3
        assert {invite["id"] for invite in found} == invites
        found = await all_of(ann, "/v1/scheduled", "scheduled", 1)
        assert len(found) == 3
        assert {message["id"] for message in found} == waiting


@pytest.mark.parametrize("path", ["/v1/keys", "/v1/users", "/v1/app/conversations", "/v1/jobs"])
async def test_a_cursor_of_ones_own_making_leads_nowhere(process: Process, path: str) -> None:
    async with ClientSession(process.url) as client:
        server = await server_of(process, client, "acme")
        status, problem = await server("GET", f"{path}?cursor=%20&limit=1")
        assert (status, problem["code"]) in ((404, "not_found"), (400, "bad_request"))
        assert (await server("GET", f"{path}?limit=0"))[0] == 400


@pytest.mark.parametrize("place", ["", "7", "after:3", "a/ß/语"])
def test_places_come_back(place: str) -> None:
    assert opened(sealed(place)) == place


@pytest.mark.parametrize("cursor", ["!", "a", "====", "AA==", "_w"])
def test_what_nobody_sealed_is_refused(cursor: str) -> None:
    with pytest.raises(Refused):
        opened(cursor)

"""Two apps with the same users, each guessing the other's ids over every route and request."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession

from signaling.app import Process
from signaling.protocol.management import MANAGEMENT
from signaling.protocol.rest import OPERATIONS
from tests.signaling.http.callers import server_of, token_of, user_of
from tests.wire_client import RequestRefused, WireClient

SECRET = "umbrella-only"
SHA = "ab" * 32


@pytest.fixture
async def client(process: Process) -> AsyncIterator[ClientSession]:
    async with ClientSession(process.url) as session:
        yield session


async def furnished(process: Process, client: ClientSession) -> dict[str, Any]:
    """The other app with one of everything; its ids by the names that paths give them."""
    server = await server_of(process, client, "umbrella")
    ann = await user_of(client, server, "ann")
    _, made = await ann(
        "POST",
        "/v1/conversations",
        {"type": "group", "title": SECRET, "alias": SECRET, "client_id": "1", "members": ["bob"]},
    )
    talk = made["conversation"]["id"]
    text = {"type": "text", "client_id": "2", "body": {"text": SECRET}}
    await ann("POST", f"/v1/conversations/{talk}/messages", text)
    # The newest is somebody else's: ann's watermarks are behind, so that moving them would show.
    bob = await user_of(client, server, "bob")
    _, sent = await bob("POST", f"/v1/conversations/{talk}/messages", text)
    _, invite = await ann("POST", f"/v1/conversations/{talk}/invites", {})
    later = {**text, "client_id": "3", "send_at": 4_000_000_000_000}
    later["send_at"] = sent["at"] + 3_600_000
    _, scheduled = await ann("POST", f"/v1/conversations/{talk}/messages", later)
    offer = {"client_id": "4", "name": SECRET, "size": 9, "sha256": SHA, "conversation": talk}
    _, file = await ann("POST", "/v1/files", offer)
    _, key = await server("POST", "/v1/keys", {"name": SECRET})
    hook = {"url": f"https://{SECRET}.example.com/"}
    _, webhook = await server("POST", "/v1/webhooks", hook)
    _, job = await server("POST", "/v1/users/bob/export")
    return {
        "conversation": talk,
        "seq": sent["seq"],
        "invite": invite["invite"]["id"] if "invite" in invite else "",
        "scheduled": scheduled.get("scheduled") or scheduled.get("id") or "",
        "file": file["file"],
        "key": key["key"],
        "webhook": webhook["webhook"],
        "job": job["job"],
        "user": "ann",
        "device": "phone",
        "emoji": "x",
        "call": f"call.{talk}",
        "delivery": "d",
        "app": "umbrella",
        "report": "r",
    }


def filled(path: str, ids: dict[str, Any]) -> str:
    return re.sub(r"{(\w+)}", lambda name: str(ids.get(name[1], "x")), "/v1" + path)


async def snapshot(process: Process, client: ClientSession) -> Any:
    """What the other app sees of itself."""
    server = await server_of(process, client, "umbrella", ("admin", "read", "tokens", "write"))
    ann = await user_of(client, server, "ann")
    talks = await ann("GET", "/v1/conversations")
    (talk,) = talks[1]["conversations"]
    log = await ann("GET", f"/v1/conversations/{talk['id']}/events?after=0")
    members = await ann("GET", f"/v1/conversations/{talk['id']}/members")
    _, listed = await server("GET", "/v1/webhooks")
    # Nobody answers at the address: when that shows is a matter of time.
    hooks = [{**hook, "failing_since": None} for hook in listed["webhooks"]]
    keys = await server("GET", "/v1/keys")
    live = {key["key"] for key in keys[1]["keys"] if "revoked_at" not in key}
    return talk, log, members, hooks, live


BODIES: dict[str, Any] = {
    "type": "text", "body": {"text": "hi"}, "client_id": "x", "user": "ann", "seq": 1, "on": True,
    "name": "x.txt", "size": 9, "sha256": SHA, "title": "mine", "jti": "x", "settings": {},
}  # fmt: skip


async def test_no_route_leads_into_another_app(process: Process, client: ClientSession) -> None:
    ids = await furnished(process, client)
    server = await server_of(process, client, "acme")
    callers = [server, await user_of(client, server, "ann")]
    before = await snapshot(process, client)
    routes = {(row.method, row.path) for row in (*OPERATIONS, *MANAGEMENT)}
    asked = 0
    for method, path in sorted(routes):
        for caller in callers:
            as_user = "?as=ann" if caller is server else ""
            body = None
            if method in ("POST", "PUT", "PATCH"):
                body = {**BODIES, "conversation": ids["conversation"], "invite": ids["invite"]}
            status, answer = await caller(method, filled(path, ids) + as_user, body)
            assert status < 500, f"{method} {path}: {answer}"
            assert SECRET not in str(answer), f"{method} {path}: {answer}"
            asked += 1
    assert asked > 100
    *same, live = await snapshot(process, client)
    assert same == list(before[:-1])
    assert before[-1] <= live


async def test_no_id_of_another_app_is_found(process: Process, client: ClientSession) -> None:
    ids = await furnished(process, client)
    server = await server_of(process, client, "acme")
    ann = await user_of(client, server, "ann")
    for caller, method, path in [
        (ann, "GET", "/conversations/{conversation}"),
        (ann, "GET", f"/conversations/{SECRET}"),
        (ann, "GET", "/conversations/{conversation}/events"),
        (ann, "GET", "/conversations/{conversation}/members"),
        (ann, "POST", "/conversations/{conversation}/join"),
        (ann, "GET", "/files/{file}"),
        (ann, "PUT", "/files/{file}"),
        (ann, "DELETE", "/files/{file}"),
        (ann, "DELETE", "/scheduled/{scheduled}"),
        (ann, "DELETE", "/invites/{invite}"),
        (server, "DELETE", "/keys/{key}"),
        (server, "POST", "/keys/{key}/rotate"),
        (server, "DELETE", "/webhooks/{webhook}"),
        (server, "GET", "/jobs/{job}"),
        (server, "GET", "/users/{user}"),
        (server, "GET", "/app/conversations/{conversation}"),
        (server, "GET", "/app/conversations/{conversation}/members"),
        (server, "DELETE", "/users/{user}/devices/{device}"),
    ]:
        status, answer = await caller(method, filled(path, ids))
        assert status == 404, f"{method} {path}: {status} {answer}"
    for method, path in (("GET", "/apps/{app}"), ("GET", "/apps"), ("GET", "/apps/{app}/keys")):
        assert (await server(method, filled(path, ids)))[0] == 403


async def test_no_request_of_the_wire_leads_there(process: Process, client: ClientSession) -> None:
    ids = await furnished(process, client)
    server = await server_of(process, client, "acme")
    socket = await WireClient(process.url, "ann", "phone", await token_of(server, "ann")).connect()
    before = await snapshot(process, client)
    named = {"conversation", "invite", "scheduled", "file", "call", "room", "seq", "user"}
    codes: set[str] = set()
    for event, handler in sorted(process.table.items()):
        if event in ("session:refresh", "conversation:create"):
            continue
        fields = set(handler.request.__struct_fields__)
        payload: dict[str, Any] = {name: BODIES[name] for name in fields & BODIES.keys()}
        payload |= {name: ids.get(name, ids["conversation"]) for name in fields & named}
        try:
            answer = await socket.request(event, **payload)
        except RequestRefused as refused:
            codes.add(refused.code)
            continue
        assert SECRET not in str(answer), event
    assert "not_found" in codes
    assert "internal" not in codes
    assert SECRET not in str(socket.told)
    assert (await snapshot(process, client))[:-1] == before[:-1]
    await socket.close()


async def test_a_room_named_like_another_apps_conversation_has_no_moderators(
    process: Process, client: ClientSession
) -> None:
    """Ann owns the conversation over there; here the same name is a standalone room."""
    room = (await furnished(process, client))["conversation"]
    server = await server_of(process, client, "acme")
    tokens = [await token_of(server, user, grants={"rooms": ["*"]}) for user in ("ann", "bob")]
    sockets = [
        await WireClient(process.url, user, "phone", token).connect()
        for user, token in zip(("ann", "bob"), tokens, strict=True)
    ]
    joined = [await socket.request("room:join", room=room) for socket in sockets]
    with pytest.raises(RequestRefused) as refused:
        await sockets[0].request(
            "participant:remove", room=room, participant=joined[1]["participant"]
        )
    assert refused.value.code == "forbidden"
    for socket in sockets:
        await socket.close()

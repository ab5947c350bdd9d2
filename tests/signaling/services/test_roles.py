"""What each role may do, as docs/protocol.md says: every role tries every request."""

from typing import Any

import pytest

from signaling.errors import Refused
from tests.conftest import MakeProcess
from tests.house import House
from tests.wire_client import RequestRefused, WireClient

ROLES = ("owner", "admin", "member", "guest")
EVERYONE, MEMBERS, ADMINS, OWNERS = ROLES, ROLES[:3], ROLES[:2], ROLES[:1]
BODY = {"text": "x"}
SEND = {"type": "text", "body": BODY}
ALL = {"mentions": ["*"]}

Acts = dict[str, tuple[str, dict[str, Any], tuple[str, ...]]]
"""What it is called -> the request, its payload, whose roles may."""

GROUP: Acts = {
    "reads": ("history:get", {}, EVERYONE),
    "looks": ("conversation:get", {}, EVERYONE),
    "searches": ("message:search", {"query": "word"}, EVERYONE),
    "lists members": ("member:list", {}, EVERYONE),
    "has read": ("receipt:read", {"seq": 1}, EVERYONE),
    "asks who has read": ("receipt:get", {"seq": 1}, EVERYONE),
    "writes": ("message:send", SEND, EVERYONE),
    "names one": ("message:send", {**SEND, "mentions": ["bob"]}, EVERYONE),
    "names everyone": ("message:send", {**SEND, **ALL}, MEMBERS),
    "writes later": ("message:send", {**SEND, "send_at": "soon"}, EVERYONE),
    "names everyone later": ("message:send", {**SEND, **ALL, "send_at": "soon"}, MEMBERS),
    "edits": ("message:edit", {"seq": "own", "body": BODY}, EVERYONE),
    "edits to name everyone": ("message:edit", {"seq": "own", "body": BODY, **ALL}, MEMBERS),
    "edits another's": ("message:edit", {"seq": "bobs", "body": BODY}, ()),
    "takes back": ("message:recall", {"seq": "own"}, EVERYONE),
    "takes back another's": ("message:recall", {"seq": "bobs"}, ADMINS),
    "reacts": ("reaction:set", {"seq": "bobs", "emoji": "x"}, EVERYONE),
    "pins": ("message:pin", {"seq": "bobs"}, ADMINS),
    "has a view of their own": ("conversation:prefer", {"pinned": True}, EVERYONE),
    "puts away": ("conversation:archive", {}, EVERYONE),
    "archives": ("conversation:archive", {"scope": "all"}, ADMINS),
    "renames": ("conversation:update", {"title": "den"}, ADMINS),
    "adds": ("member:add", {"user": "dan"}, ADMINS),
    "adds a guest": ("member:add", {"user": "dan", "role": "guest"}, ADMINS),
    "adds an admin": ("member:add", {"user": "dan", "role": "admin"}, OWNERS),
    "makes a guest": ("member:update", {"user": "bob", "role": "guest"}, ADMINS),
    "makes an admin": ("member:update", {"user": "bob", "role": "admin"}, OWNERS),
    "mutes": ("member:update", {"user": "bob", "muted_until": 2**50}, ADMINS),
    "mutes an owner": ("member:update", {"user": "ann", "muted_until": 2**50}, OWNERS),
    "removes": ("member:remove", {"user": "bob"}, ADMINS),
    "removes an owner": ("member:remove", {"user": "ann"}, OWNERS),
    "bans": ("member:ban", {"user": "bob"}, ADMINS),
    "lists bans": ("member:bans", {}, ADMINS),
    "lifts a ban": ("member:unban", {"user": "eve"}, ADMINS),
    "invites": ("invite:create", {}, ADMINS),
    "lists invitations": ("invite:list", {}, ADMINS),
    "leaves": ("conversation:leave", {}, EVERYONE),
}  # fmt: skip
CHANNEL: Acts = {
    "reads": ("history:get", {}, EVERYONE),
    "writes": ("message:send", SEND, ADMINS),
    "edits": ("message:edit", {"seq": "own", "body": BODY}, ADMINS),
    "reacts": ("reaction:set", {"seq": "anns", "emoji": "x"}, EVERYONE),
}


async def scene(house: House, type_: str, role: str) -> tuple[str, dict[str, Any]]:
    """A conversation of ann's, in which bob is a member and cat has the role; who wrote what."""
    name = await house.group("ann", "bob", type=type_)
    said = {"anns": await house.send("ann", name, "a word")}
    add = {"conversation": name, "user": "cat"}
    await house.ask("ann", "member:add", **add, role="admin" if type_ == "channel" else "member")
    said["own"] = await house.send("cat", name, "a word")
    if type_ == "group":
        said["bobs"] = await house.send("bob", name, "a word")
    await house.ask("ann", "member:update", **add, role=role)
    return name, {**said, "soon": house.now + 1_000}


async def outcome(house: House, type_: str, role: str, act: str) -> str:
    """ "" when it was carried out, else the code."""
    event, payload, _ = {"group": GROUP, "channel": CHANNEL}[type_][act]
    name, said = await scene(house, type_, role)
    asked = {
        field: said.get(value, value) if isinstance(value, str) else value
        for field, value in payload.items()
    }
    if event == "message:send":
        asked["client_id"] = act
    try:
        await house.ask("cat", event, conversation=name, **asked)
    except Refused as refused:
        return refused.code
    return ""


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("type_", "acts"), [("group", GROUP), ("channel", CHANNEL)])
async def test_a_role_and_what_it_may(house: House, type_: str, acts: Acts, role: str) -> None:
    found = {act: await outcome(house, type_, role, act) for act in acts}
    assert found == {act: "" if role in may else "forbidden" for act, (_, _, may) in acts.items()}


async def test_guests_come_to_calls_and_start_none(make_process: MakeProcess) -> None:
    process = await make_process()
    ann = await WireClient(process.url, "ann").connect()
    made = await ann.request("conversation:create", type="group", members=["bob"], client_id="g")
    name = made["conversation"]["id"]
    await ann.request("member:add", conversation=name, user="gus", role="guest")
    gus = await WireClient(process.url, "gus").connect()
    call = {"conversation": name, "media": "audio", "client_id": "1"}
    with pytest.raises(RequestRefused) as refused:
        await gus.request("call:invite", **call)
    assert refused.value.code == "forbidden"
    started = (await ann.request("call:invite", **call))["call"]["id"]
    await gus.until("call:ringing")
    taken = (await gus.request("call:accept", call=started))["call"]
    assert taken["state"] == "active"
    await ann.close()
    await gus.close()

"""Conversations and who is in them."""

import asyncio
from pathlib import Path

import pytest

from signaling.services.creating import direct_id
from signaling.services.limits import Limits
from tests.house import House, opened


async def test_a_pair_has_one_direct_conversation(house: House) -> None:
    one = await house.direct("ann", "bob")
    assert await house.direct("bob", "ann") == one
    assert await house.direct("ann", "cat") != one
    myself = await house.ask(
        "ann", "conversation:create", type="direct", members=["ann"], client_id="me"
    )
    assert myself["conversation"]["member_count"] == 1


async def test_create_again_gives_the_same_and_conflict_for_another(house: House) -> None:
    request = {"type": "group", "title": "den", "client_id": "x"}
    made = await house.ask("ann", "conversation:create", **request)
    again = await house.ask("ann", "conversation:create", **request)
    assert again["conversation"]["id"] == made["conversation"]["id"]
    assert again["duplicate"]
    other = {**request, "title": "other"}
    assert await house.refused("ann", "conversation:create", **other) == "conflict"


async def test_who_joins_hears_of_it_on_their_own_topic(house: House) -> None:
    name = await house.group("ann", "bob")
    assert house.ear.events(f"c:acme:{name}") == ["member:joined", "member:joined"]
    assert house.ear.events("u:acme:bob") == ["member:joined"]
    (hint,) = [h for topic, h in house.ear.heard if topic == "u:acme:bob"]
    assert (hint.data["user"], hint.data["seq"], hint.data["about"]["id"]) == ("bob", 2, name)


async def test_join_by_alias_creates_once(house: House) -> None:
    made = await house.ask("ann", "conversation:join", alias="lobby", create=True)
    joined = await house.ask("bob", "conversation:join", alias="lobby", create=True)
    again = await house.ask("bob", "conversation:join", alias="lobby")
    name = made["conversation"]["id"]
    assert joined["conversation"]["id"] == again["conversation"]["id"] == name
    assert made["conversation"]["role"] == "owner"
    assert [m["user"] for m in again["conversation"]["members"]] == ["ann", "bob"]
    assert again["conversation"]["head"] == 2
    assert await house.refused("bob", "conversation:join", alias="nowhere") == "not_found"


async def test_a_closed_conversation_does_not_exist_for_others(house: House) -> None:
    name = await house.group("ann")
    for event in ("conversation:get", "conversation:join", "conversation:leave", "history:get"):
        assert await house.refused("eve", event, conversation=name) == "not_found"
    assert await house.refused("ann", "conversation:get", conversation=name, app="x") == "not_found"


async def test_roles_bound_what_members_do(house: House) -> None:
    name = await house.group("ann", "bob", "cat")
    add = {"conversation": name, "user": "dan"}
    assert await house.refused("bob", "member:add", **add) == "forbidden"
    assert await house.refused("bob", "conversation:update", conversation=name, title="x") == (
        "forbidden"
    )
    await house.ask("ann", "member:update", conversation=name, user="bob", role="admin")
    await house.ask("bob", "member:add", **add)
    promote = {"conversation": name, "user": "dan", "role": "admin"}
    assert await house.refused("bob", "member:update", **promote) == "forbidden"
    demote = {"conversation": name, "user": "ann", "role": "member"}
    assert await house.refused("bob", "member:update", **demote) == "forbidden"
    assert await house.refused("ann", "member:update", **demote) == "conflict"
    assert await house.refused("ann", "conversation:leave", conversation=name) == "conflict"
    await house.ask("ann", "member:update", conversation=name, user="bob", role="owner")
    await house.ask("ann", "conversation:leave", conversation=name)


async def test_a_removed_member_reads_no_more_and_a_banned_one_stays_out(house: House) -> None:
    made = await house.ask("ann", "conversation:join", alias="lobby", create=True)
    name = made["conversation"]["id"]
    await house.ask("bob", "conversation:join", alias="lobby")
    until = house.now + 1_000
    await house.ask("ann", "member:remove", conversation=name, user="bob", banned_until=until)
    assert await house.refused("bob", "history:get", conversation=name) == "not_found"
    assert house.ear.events("u:acme:bob") == ["member:joined", "member:left"]
    assert await house.refused("bob", "conversation:join", alias="lobby") == "forbidden"
    house.now += 1_001
    await house.ask("bob", "conversation:join", alias="lobby")


async def test_history_from_joining_on(house: House) -> None:
    name = await house.group("ann", history="joining")
    await house.send("ann", name, "before")
    await house.ask("ann", "member:add", conversation=name, user="bob")
    await house.send("ann", name, "after")
    seen = await house.events("bob", name)
    assert [event["type"] for event in seen] == ["member:joined", "message:created"]
    found = await house.ask("bob", "message:search", query="before")
    assert found["events"] == []


async def test_update_tells_what_changed(house: House) -> None:
    name = await house.group("ann", title="old")
    answer = await house.ask(
        "ann", "conversation:update", conversation=name, title="new", slow_mode_ms=5, open=False
    )
    assert answer["conversation"]["title"] == "new"
    (event,) = [e for e in await house.events("ann", name) if e["type"] == "conversation:updated"]
    assert (event["title"], event["settings"]) == ("new", {"slow_mode_ms": 5})
    assert "open" not in event


async def test_archive_for_me_and_for_all(house: House) -> None:
    name = await house.group("ann", "bob")
    mine = await house.ask("bob", "conversation:archive", conversation=name)
    assert mine["conversation"]["archived"]
    await house.send("bob", name)
    assert (
        await house.refused("bob", "conversation:archive", conversation=name, scope="all")
        == "forbidden"
    )
    await house.ask("ann", "conversation:archive", conversation=name, scope="all")
    body = {"text": "x"}
    send = {"conversation": name, "client_id": "z", "type": "text", "body": body}
    assert await house.refused("ann", "message:send", **send) == "forbidden"
    await house.ask("ann", "conversation:archive", conversation=name, scope="all", archived=False)
    await house.ask("ann", "message:send", **send)


async def test_invitations_let_in_until_used_up(house: House) -> None:
    name = await house.group("ann", "bob")
    assert await house.refused("bob", "invite:create", conversation=name) == "forbidden"
    made = await house.ask("ann", "invite:create", conversation=name, max_uses=1)
    invite = made["invite"]["id"]
    joined = await house.ask("cat", "conversation:join", invite=invite)
    assert joined["conversation"]["id"] == name
    assert await house.refused("dan", "conversation:join", invite=invite) == "not_found"
    assert (await house.ask("ann", "invite:list", conversation=name))["invites"] == []
    other = (await house.ask("ann", "invite:create", conversation=name))["invite"]["id"]
    assert await house.refused("dan", "conversation:join", invite=other, app="x") == "not_found"
    await house.ask("ann", "invite:revoke", invite=other)
    assert await house.refused("dan", "conversation:join", invite=other) == "not_found"


async def test_pages_of_the_list_hold_each_conversation_once(house: House) -> None:
    names = [await house.group("ann") for _ in range(5)]
    first = await house.ask("ann", "conversation:list", limit=3)
    rest = await house.ask("ann", "conversation:list", limit=3, after=first["next"])
    listed = [c["id"] for c in first["conversations"] + rest["conversations"]]
    assert listed == names[::-1]
    assert rest["next"] is None
    assert await house.refused("ann", "conversation:list", after="x") == "bad_request"


async def test_a_group_has_its_limit(house: House) -> None:
    many = [f"u{n}" for n in range(500)]
    name = await house.group("ann", *many)
    got = await house.ask("ann", "conversation:get", conversation=name)
    assert (got["conversation"]["member_count"], len(got["conversation"]["members"])) == (501, 100)
    page = await house.ask("ann", "member:list", conversation=name, limit=200)
    assert len(page["members"]) == 200
    assert page["next"] == page["members"][-1]["user"]


@pytest.mark.parametrize("event", ["conversation:create", "conversation:update", "join"])
async def test_no_alias_looks_like_an_id(house: House, event: str) -> None:
    """A group called like the direct conversation of two others would be taken for it."""
    trap = direct_id("acme", "ann", "bob")
    name = await house.group("eve", open=True)
    asked = {
        "conversation:create": {"type": "group", "open": True, "client_id": "t", "alias": trap},
        "conversation:update": {"conversation": name, "alias": trap},
        "join": {"alias": trap, "create": True},
    }[event]
    event = "conversation:join" if event == "join" else event
    assert await house.refused("eve", event, **asked) == "bad_request"
    await house.ask("eve", "conversation:update", conversation=name, alias=f"-{trap}")
    assert await house.direct("ann", "bob") == trap
    await house.ask("ann", "user:block", user="bob")
    assert (await house.conversations.get("acme", name)).settings == {"history": "start"}  # type: ignore[union-attr]


async def test_a_taken_alias_is_a_conflict_for_its_maker_too(house: House) -> None:
    request = {"type": "group", "alias": "den", "client_id": "x"}
    made = await house.ask("ann", "conversation:create", **request)
    again = await house.ask("ann", "conversation:create", **request)
    assert (again["conversation"]["id"], again["duplicate"]) == (made["conversation"]["id"], True)
    for user in ("ann", "bob"):
        other = {**request, "client_id": f"{user}-y", "title": "other"}
        assert await house.refused(user, "conversation:create", **other) == "conflict"
    for user in ("ann", "bob"):
        mine = await house.group(user, alias=f"of-{user}")
        update = {"conversation": mine, "alias": "den"}
        assert await house.refused(user, "conversation:update", **update) == "conflict"


async def test_nobody_is_put_into_a_group_by_whom_they_block(house: House) -> None:
    name = await house.group("bob", "cat")
    await house.ask("ann", "user:block", user="bob")
    group = {"type": "group", "client_id": "x", "members": ["cat", "ann"]}
    assert await house.refused("bob", "conversation:create", **group) == "forbidden"
    first = {"type": "group", "client_id": "w", "members": ["cat"]}
    made = await house.ask("bob", "conversation:create", **first)
    add = {"conversation": name, "user": "ann"}
    assert await house.refused("bob", "member:add", **add) == "forbidden"
    await house.ask("cat", "user:block", user="bob")
    again = await house.ask("bob", "conversation:create", **first)
    assert (again["conversation"]["id"], again["duplicate"]) == (made["conversation"]["id"], True)
    await house.ask("ann", "conversation:create", **{**group, "members": ["bob"]})
    await house.ask("bob", "member:add", admin=True, **add)
    assert (await house.events("ann", name))[-1]["user"] == "ann"
    await house.ask("cat", "user:unblock", user="bob")
    await house.ask("bob", "conversation:create", **{**group, "members": ["cat"]})


async def test_an_admin_steps_down_and_no_further(house: House) -> None:
    name = await house.group("ann", "bob", "cat")
    for user in ("bob", "cat"):
        await house.ask("ann", "member:update", conversation=name, user=user, role="admin")
    down = {"conversation": name, "user": "bob", "role": "member"}
    assert await house.refused("cat", "member:update", **down) == "forbidden"
    up = {**down, "role": "owner"}
    assert await house.refused("bob", "member:update", **up) == "forbidden"
    until = house.now + 9
    await house.ask("ann", "member:update", conversation=name, user="bob", muted_until=until)
    unmuting = {"conversation": name, "user": "bob", "muted_until": None}
    assert await house.refused("bob", "member:update", **unmuting, role="member") == "forbidden"
    assert await house.refused("bob", "member:update", **unmuting) == "forbidden"
    assert (await house.ask("bob", "member:update", **down))["member"]["role"] == "member"
    back = {**down, "role": "admin"}
    assert await house.refused("bob", "member:update", **back) == "forbidden"


async def test_an_invitation_is_used_by_who_comes_in(tmp_path: Path) -> None:
    async with opened(tmp_path / "small.db", Limits(group_members=2)) as house:
        name = await house.group("ann", "bob")
        made = await house.ask("ann", "invite:create", conversation=name, max_uses=2)
        join = {"invite": made["invite"]["id"]}
        assert await house.refused("cat", "conversation:join", **join) == "quota_exceeded"
        await house.ask("bob", "conversation:leave", conversation=name)
        archive = {"conversation": name, "scope": "all"}
        await house.ask("ann", "conversation:archive", **archive)
        assert await house.refused("cat", "conversation:join", **join) == "forbidden"
        await house.ask("ann", "conversation:archive", **archive, archived=False)
        (kept,) = (await house.ask("ann", "invite:list", conversation=name))["invites"]
        assert kept["uses"] == 0
        for _ in range(2):
            await house.ask("cat", "conversation:join", **join)
        (kept,) = (await house.ask("ann", "invite:list", conversation=name))["invites"]
        assert kept["uses"] == 1


async def test_who_is_sent_away_by_a_used_up_invitation_stays_out(house: House) -> None:
    """The use and the coming in are one: of several at once only one comes."""
    name = await house.group("ann")
    made = await house.ask("ann", "invite:create", conversation=name, max_uses=1)
    users = [f"u{n}" for n in range(5)]
    join = {"invite": made["invite"]["id"]}
    outcomes = await asyncio.gather(
        *(house.ask(user, "conversation:join", **join) for user in users), return_exceptions=True
    )
    assert [type(one) for one in outcomes].count(dict) == 1
    found = await house.ask("ann", "member:list", conversation=name)
    assert len(found["members"]) == 2

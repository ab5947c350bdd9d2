"""Kicks, bans and mutes, and what is written down of them."""

from typing import Any

import pytest

from signaling.adapters.sql.audit import SqlAudit
from tests.house import House


async def acts(house: House) -> list[tuple[str, str, str]]:
    found = await SqlAudit(house.database).page("acme", None, 50)
    return [(record.actor, record.action, record.subject) for record in found][::-1]


async def hall(house: House, **fields: Any) -> str:
    name = await house.group("ann", "bob", "cid", open=True, alias="hall", **fields)
    await house.ask("ann", "member:update", conversation=name, user="cid", role="admin")
    return name


async def test_a_banned_member_is_out_and_stays_out_by_every_door(house: House) -> None:
    name = await hall(house)
    invite = (await house.ask("ann", "invite:create", conversation=name, max_uses=5))["invite"]
    await house.ask("cid", "member:ban", conversation=name, user="bob", reason="spam")
    assert await house.refused("bob", "history:get", conversation=name) == "not_found"
    assert await house.refused("bob", "conversation:join", conversation=name) == "forbidden"
    assert await house.refused("bob", "conversation:join", alias="hall") == "forbidden"
    assert await house.refused("bob", "conversation:join", alias="hall", create=True) == "forbidden"
    assert await house.refused("bob", "conversation:join", invite=invite["id"]) == "forbidden"
    assert await house.refused("ann", "member:add", conversation=name, user="bob") == "forbidden"
    (kept,) = (await house.ask("ann", "invite:list", conversation=name))["invites"]
    assert kept["uses"] == 0
    banned, left = (await house.events("ann", name))[-2:]
    assert (banned["type"], banned["user"], banned["reason"]) == ("member:banned", "bob", "spam")
    assert (left["type"], left["reason"], banned["until"]) == ("member:left", "banned", None)
    assert ("user:cid", "member:banned", "bob") in await acts(house)


async def test_a_ban_ends_by_itself_or_by_an_admin(house: House) -> None:
    name = await hall(house)
    until = house.now + 1_000
    await house.ask("ann", "member:ban", conversation=name, user="bob", until=until)
    listed = await house.ask("cid", "member:bans", conversation=name)
    assert listed["bans"] == [{"user": "bob", "until": until}]
    house.now += 1_001
    assert (await house.ask("cid", "member:bans", conversation=name))["bans"] == []
    await house.ask("bob", "conversation:join", conversation=name)
    await house.ask("ann", "member:ban", conversation=name, user="bob")
    await house.ask("cid", "member:unban", conversation=name, user="bob")
    assert (await house.events("ann", name))[-1]["type"] == "member:unbanned"
    await house.ask("bob", "conversation:join", conversation=name)


async def test_a_stranger_is_banned_and_learns_nothing_of_the_place(house: House) -> None:
    name = await house.group("ann", "bob", title="secret")
    await house.ask("ann", "member:ban", conversation=name, user="eve")
    _, position = await house.log.tail(-1, 0)
    missed = await house.log.since("acme", "eve", position - 1, {}, 10)
    assert missed.gaps == []
    assert await house.refused("eve", "conversation:get", conversation=name) == "not_found"
    assert await house.refused("ann", "member:add", conversation=name, user="eve") == "forbidden"
    got = await house.ask("ann", "conversation:get", conversation=name)
    assert got["conversation"]["member_count"] == 2


async def test_who_may_ban_whom(house: House) -> None:
    name = await hall(house)
    ban = "member:ban"
    assert await house.refused("bob", ban, conversation=name, user="cid") == "forbidden"
    assert await house.refused("cid", ban, conversation=name, user="ann") == "forbidden"
    assert await house.refused("eve", ban, conversation=name, user="bob") == "not_found"
    assert await house.refused("cid", ban, conversation=name, user="cid") == "bad_request"
    past = {"conversation": name, "user": "bob", "until": house.now}
    assert await house.refused("cid", ban, **past) == "bad_request"
    wrong = {"conversation": name, "user": "bob", "banned_until": house.now + 5}
    assert await house.refused("cid", "member:update", **wrong) == "bad_request"
    direct = await house.direct("ann", "bob")
    assert await house.refused("ann", ban, conversation=direct, user="bob") == "forbidden"
    assert await house.refused("bob", "member:bans", conversation=name) == "forbidden"
    await house.ask("root", ban, admin=True, conversation=name, user="cid")
    only = await house.refused("root", ban, admin=True, conversation=name, user="ann")
    assert only == "conflict"


async def test_a_kick_puts_out_and_lets_in_again(house: House) -> None:
    name = await hall(house)
    await house.ask("cid", "member:remove", conversation=name, user="bob")
    assert (await house.events("ann", name))[-1]["reason"] == "removed"
    assert ("user:cid", "member:removed", "bob") in await acts(house)
    await house.ask("bob", "conversation:join", conversation=name)


@pytest.mark.parametrize("back", ["invite", "join"])
async def test_leaving_and_coming_again_ends_no_mute_and_no_pause(house: House, back: str) -> None:
    name = await hall(house)
    invite = (await house.ask("ann", "invite:create", conversation=name))["invite"]["id"]
    door = {"invite": invite} if back == "invite" else {"conversation": name}
    await house.ask("ann", "conversation:update", conversation=name, slow_mode_ms=60_000)
    await house.send("bob", name)
    await house.ask("bob", "conversation:leave", conversation=name)
    await house.ask("bob", "conversation:join", **door)
    message = {"conversation": name, "client_id": "x", "type": "text", "body": {"text": "x"}}
    assert await house.refused("bob", "message:send", **message) == "rate_limited"
    until = house.now + 120_000
    await house.ask("ann", "member:update", conversation=name, user="bob", muted_until=until)
    house.now += 60_000
    await house.ask("bob", "conversation:leave", conversation=name)
    await house.ask("bob", "conversation:join", **door)
    assert await house.refused("bob", "message:send", **message) == "forbidden"
    house.now += 60_001
    await house.ask("bob", "message:send", **message)
    assert ("user:ann", "member:updated", "bob") in await acts(house)


async def test_settings_of_a_conversation_are_written_down(house: House) -> None:
    name = await hall(house)
    await house.ask("ann", "conversation:update", conversation=name, retention_days=7)
    await house.ask("ann", "conversation:archive", conversation=name, scope="all")
    await house.ask("ann", "conversation:archive", conversation=name, scope="me")
    found = await SqlAudit(house.database).page("acme", None, 2)
    assert [(one.action, one.subject) for one in found] == [("conversation:updated", name)] * 2
    assert found[1].details == '{"settings":{"retention_days":7}}'

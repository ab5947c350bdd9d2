"""A group of ten thousand: what a message costs does not grow with who reads it."""

from signaling.model import Role
from tests.house import House
from tests.making import conversation, member

MEMBERS = 10_000


async def crowd(house: House) -> str:
    roles: dict[int, Role] = {0: "owner"}
    seats = [member("c_crowd", f"u{n:05}", roles.get(n, "member")) for n in range(MEMBERS)]
    made, _ = await house.conversations.create(conversation("c_crowd"), seats, [])
    assert made.member_count == MEMBERS
    return made.id


async def test_everyone_reads_what_was_said_once(house: House) -> None:
    name = await crowd(house)
    before = len(house.ear.heard)
    seq = await house.send("u00000", name, mentions=["u09999"])
    assert len(house.ear.heard) == before + 1
    for user in ("u00001", "u05000", "u09999"):
        got = await house.ask(user, "conversation:get", conversation=name)
        found = got["conversation"]
        assert (found["unread"], found["mentions"]) == (1, int(user == "u09999"))
        await house.ask(user, "receipt:read", conversation=name, seq=seq)
    receipts = await house.ask("u00000", "receipt:get", conversation=name, seq=seq)
    assert receipts == {"delivered_count": 4, "read_count": 4, "member_count": MEMBERS}


async def test_members_are_paged_and_the_group_is_full(house: House) -> None:
    name = await crowd(house)
    page = await house.ask("u00001", "member:list", conversation=name, limit=200)
    assert (len(page["members"]), page["next"]) == (200, "u00199")
    add = await house.refused("u00000", "member:add", conversation=name, user="late")
    assert add == "quota_exceeded"

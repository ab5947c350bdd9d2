"""What every Conversations adapter guarantees."""

import asyncio

import pytest
from msgspec.structs import replace

from signaling.adapters.sql import Database, SqlConversations, SqlLog, SqlUsers
from signaling.errors import Refused
from signaling.model import Change, Scene
from signaling.ports import Conversations, Log
from tests.making import APP, conversation, group, joined, member, message


@pytest.fixture
def conversations(database: Database) -> Conversations:
    return SqlConversations(database)


@pytest.fixture
def log(database: Database) -> Log:
    return SqlLog(database)


async def test_create_appends_the_first_events(conversations: Conversations, log: Log) -> None:
    name = "c_1"
    members = [member(name, "ann", "owner"), member(name, "bob")]
    drafts = [joined(name, "ann"), joined(name, "bob")]
    made, events = await conversations.create(conversation(name, title="den"), members, drafts)
    assert (made.head, made.member_count, made.title) == (2, 2, "den")
    assert [event.seq for event in events] == [1, 2]
    assert await log.read(name, limit=9) == events


async def test_one_conversation_per_id_alias_and_client_id(conversations: Conversations) -> None:
    name = await group(conversations, "ann", name="c_1", alias="den")
    same_id, events = await conversations.create(conversation("c_1"), [], [])
    assert (same_id.id, events) == (name, [])
    with pytest.raises(Refused) as refused:
        await conversations.create(conversation("c_2", alias="den"), [], [])
    assert refused.value.code == "conflict"
    first = replace(joined("c_3", "ann"), client_id="x", fingerprint="f")
    await conversations.create(conversation("c_3"), [], [first])
    again = replace(joined("c_4", "ann"), client_id="x", fingerprint="f")
    same_send, events = await conversations.create(conversation("c_4"), [], [again])
    assert (same_send.id, events) == ("c_3", [])
    other = replace(again, fingerprint="g")
    with pytest.raises(Refused) as refused:
        await conversations.create(conversation("c_5"), [], [other])
    assert refused.value.code == "conflict"


async def test_an_id_is_no_alias_and_no_other_kind(conversations: Conversations) -> None:
    """Rows as versions before had them: an alias that looks like another's id."""
    pair = "d_" + "0f" * 16
    trap = await group(conversations, "eve", alias=pair)
    assert await conversations.get(APP, pair) is None
    assert await conversations.standing(APP, pair, "eve") is None
    direct = conversation(pair, type="direct")
    made, _ = await conversations.create(direct, [member(pair, "ann"), member(pair, "bob")], [])
    assert (made.id, made.type) == (pair, "direct")
    assert (await conversations.create(direct, [], []))[0].id == pair
    with pytest.raises(Refused) as refused:
        await conversations.create(conversation(pair), [], [])
    assert refused.value.code == "conflict"
    assert [s.conversation.id for s in await conversations.standings(APP, "eve")] == [trap]


async def test_a_direct_conversation_and_the_blocks_of_its_two_agree(
    conversations: Conversations, database: Database
) -> None:
    users = SqlUsers(database)
    await users.block(APP, "bob", "ann", "d_1", 9)
    await users.block(APP, "cat", "ann", "d_2", 9)
    pair = [member("d_1", "ann"), member("d_1", "bob")]
    made, _ = await conversations.create(conversation("d_1", type="direct"), pair, [])
    assert made.settings == {"blocked_by": ["bob"]}
    await users.block(APP, "ann", "bob", "d_1", 9)
    await users.unblock(APP, "bob", "ann", "d_1")
    found = await conversations.get(APP, "d_1")
    assert found is not None
    assert found.settings == {"blocked_by": ["ann"]}
    await group(conversations, "ann", "bob", name="d_3")
    await users.block(APP, "ann", "eve", "d_3", 9)
    other = await conversations.get(APP, "d_3")
    assert other is not None
    assert other.settings == {}


async def test_creating_at_once_makes_one(conversations: Conversations) -> None:
    made = await asyncio.gather(
        *(
            conversations.create(conversation("c_1"), [member("c_1", "ann")], [joined("c_1", "a")])
            for _ in range(5)
        )
    )
    assert sum(len(events) for _, events in made) == 1


async def test_an_alias_is_unique_per_app(conversations: Conversations) -> None:
    await group(conversations, name="c_1", alias="den")
    other, _ = await conversations.create(conversation("c_2", alias="den", app="other"), [], [])
    assert other.id == "c_2"
    await group(conversations, name="c_3")
    with pytest.raises(Refused) as refused:
        await conversations.decide(
            APP, "c_3", [], lambda s: Change(conversation=replace(s.conversation, alias="den"))
        )
    assert refused.value.code == "conflict"


async def test_decide_sees_the_scene_and_does_all_of_it(
    conversations: Conversations, log: Log
) -> None:
    name = await group(conversations, "ann", alias="den")
    await log.append(message(name, "ann", "1"))

    def decide(scene: Scene) -> Change:
        assert set(scene.members) == {"ann"}
        assert scene.target is not None
        bob = member(name, "bob", read=2, delivered=2)
        return Change(
            conversation=replace(scene.conversation, title="new", settings={"a": 1}),
            members=(bob,),
            drafts=(joined(name, "bob"),),
            target={**scene.target.data, "pinned": True},
        )

    decided = await conversations.decide(APP, "den", ["ann", "bob"], decide, target=1)
    assert (decided.conversation.title, decided.conversation.settings) == ("new", {"a": 1})
    assert (decided.conversation.head, decided.conversation.member_count) == (2, 2)
    assert [event.seq for event in decided.events] == [2]
    target = await log.get(name, 1)
    assert target is not None
    assert target.data["pinned"]


async def test_a_refused_decision_changes_nothing(conversations: Conversations) -> None:
    name = await group(conversations, "ann")

    def decide(_: Scene) -> Change:
        raise Refused("forbidden", "no")

    with pytest.raises(Refused):
        await conversations.decide(APP, name, [], decide)
    with pytest.raises(Refused) as refused:
        await conversations.decide("other", name, [], decide)
    assert refused.value.code == "not_found"


async def test_a_decision_that_fails_halfway_is_undone(
    conversations: Conversations, log: Log
) -> None:
    await group(conversations, name="c_1", alias="den")
    name = await group(conversations, "ann")

    def decide(scene: Scene) -> Change:
        changed = replace(scene.conversation, alias="den")
        return Change(conversation=changed, drafts=(joined(name, "ann"),))

    with pytest.raises(Refused):
        await conversations.decide(APP, name, [], decide)
    assert not await log.read(name, limit=9)
    await log.append(message(name, "ann", "1"))
    assert [event.seq for event in await log.read(name, limit=9)] == [1]


async def test_leaving_ends_a_membership_and_since_says_so(
    conversations: Conversations, log: Log
) -> None:
    name = await group(conversations, "ann", "bob")
    _, position = await log.tail(-1, 0)
    await log.append(message(name, "ann", "1"))

    def decide(scene: Scene) -> Change:
        left = replace(joined(name, "bob"), type="member:left")
        gone = replace(scene.members["bob"], left_at=5, left_seq=scene.conversation.head + 1)
        return Change(members=(gone,), drafts=(left,))

    decided = await conversations.decide(APP, name, ["bob"], decide)
    assert decided.conversation.member_count == 1
    await log.append(message(name, "ann", "2"))
    assert await conversations.member(name, "bob") is None
    assert await conversations.reaches(APP, "bob") == []
    assert not await conversations.standings(APP, "bob")
    (gap,) = (await log.since(APP, "bob", position, {}, 300)).gaps
    assert [(event.seq, event.type) for event in gap.events] == [(2, "member:left")]


async def test_watermarks_move_forward_only(conversations: Conversations, log: Log) -> None:
    name = await group(conversations, "ann", "bob")
    for n in range(5):
        await log.append(message(name, "ann", str(n)))
    moved = await conversations.advance(APP, name, "bob", delivered=3)
    assert moved is not None
    assert (moved.member.delivered, moved.member.read, moved.member_count) == (3, 0, 2)
    assert await conversations.advance(APP, name, "bob", delivered=2) is None
    moved = await conversations.advance(APP, name, "bob", read=99)
    assert moved is not None
    assert (moved.member.delivered, moved.member.read) == (5, 5)
    assert await conversations.advance(APP, name, "eve", read=1) is None


async def test_watermarks_of_another_app_do_not_move(
    conversations: Conversations, log: Log
) -> None:
    """The same user id, and the id of a conversation of theirs: both are there to be guessed."""
    name = await group(conversations, "ann", "bob")
    await log.append(message(name, "ann", "1"))
    here = (("other", None), (APP, 1))
    moved = await asyncio.gather(
        *(conversations.advance(app, name, "bob", read=1) for app, _ in here)
    )
    assert [one and one.member.read for one in moved] == [read for _, read in here]
    assert await conversations.advance("other", name, "bob", delivered=1, read=1) is None


async def test_watermarks_moved_at_once_end_at_the_highest(
    conversations: Conversations, log: Log
) -> None:
    name = await group(conversations, "ann", "bob")
    for n in range(9):
        await log.append(message(name, "ann", str(n)))
    await asyncio.gather(*(conversations.advance(APP, name, "bob", read=n) for n in (3, 9, 1, 7)))
    bob = await conversations.member(name, "bob")
    assert bob is not None
    assert (bob.read, bob.delivered) == (9, 9)


async def test_since_tells_other_devices_of_watermarks(
    conversations: Conversations, log: Log
) -> None:
    name = await group(conversations, "ann", "bob")
    await log.append(message(name, "ann", "1"))
    _, position = await log.tail(-1, 0)
    await conversations.advance(APP, name, "bob", read=1)
    (gap,) = (await log.since(APP, "bob", position, {}, 300)).gaps
    assert (gap.events, gap.standing.member.read, gap.standing.unread) == ([], 1, 0)


async def test_standings_come_by_activity_in_pages(conversations: Conversations, log: Log) -> None:
    names = [await group(conversations, "ann") for _ in range(4)]
    for name in (names[2], names[0], names[3], names[1]):
        await log.append(message(name, "bob", name))
    first = await conversations.standings(APP, "ann", limit=3)
    assert [s.conversation.id for s in first] == [names[1], names[3], names[0]]
    assert first[0].last is not None
    assert first[0].unread == 1
    rest = await conversations.standings(APP, "ann", first[-1].conversation.position, 3)
    assert [s.conversation.id for s in rest] == [names[2]]
    reached = await conversations.reaches(APP, "ann")
    assert {reach.conversation: reach.head for reach in reached} == dict.fromkeys(names, 1)


async def test_totals_are_the_sum_of_the_standings(conversations: Conversations, log: Log) -> None:
    assert await conversations.totals(APP, "ann") == (0, 0)
    names = [await group(conversations, "ann", "bob") for _ in range(3)]
    for number, name in enumerate(names):
        for mentions in ([], ["ann"], ["*", "ann"], ["bob"])[: number + 2]:
            await log.append(message(name, "bob", f"{name}/{mentions}", mentions=mentions))
    await log.append(message(await group(conversations, "bob"), "bob", "elsewhere"))
    there = await group(conversations, "ann", app="other")
    await log.append(message(there, "bob", "another app's", app="other"))
    assert await conversations.totals(APP, "ann") == (9, 5)
    assert await conversations.totals(APP, "bob") == (0, 0)
    await conversations.advance(APP, names[2], "ann", read=2)
    found = await conversations.standings(APP, "ann", limit=2)
    assert await conversations.totals(APP, "ann") == (7, 4)
    assert sum(one.unread for one in found) < 7

    def leave(scene: Scene) -> Change:
        return Change(members=(replace(scene.members["ann"], left_at=5, left_seq=9),))

    await conversations.decide(APP, names[0], ["ann"], leave)
    assert await conversations.totals(APP, "ann") == (5, 3)


async def test_members_come_with_names_in_pages(
    conversations: Conversations, database: Database
) -> None:
    name = await group(conversations, "ann", "bob", "cat")
    await SqlUsers(database).seen(APP, "bob", "phone", "Bob B.", 1)
    first = await conversations.members(name, limit=2)
    assert [(m.user, m.name) for m in first] == [("ann", None), ("bob", "Bob B.")]
    assert [m.user for m in await conversations.members(name, "bob", 2)] == ["cat"]
    several = await conversations.members_of([name], 1)
    assert [m.user for m in several[name]] == ["ann"]


async def test_sharing_a_conversation(conversations: Conversations) -> None:
    await group(conversations, "ann", "bob")
    assert await conversations.share(APP, "ann", "bob")
    assert not await conversations.share(APP, "ann", "eve")
    assert not await conversations.share("other", "ann", "bob")
    assert await conversations.sharing(APP, "ann", ["bob", "eve"]) == {"bob"}
    assert await conversations.sharing("other", "ann", ["bob"]) == set()


async def test_redacted_bodies_are_gone(conversations: Conversations, log: Log) -> None:
    name = await group(conversations, "ann")
    await log.append(message(name, "ann", "1", text="secret"))
    await log.append(message(name, "ann", "2", text="secret too"))
    await conversations.decide(
        APP, name, [], lambda _: Change(target={"body": None}, redact=(2,)), target=1
    )
    events = await log.read(name, limit=9)
    assert [event.data["body"] for event in events] == [None, None]


async def test_text_a_database_cannot_keep_is_refused_or_kept(
    database: Database, conversations: Conversations
) -> None:
    """PostgreSQL takes no zero characters, SQLite does; neither is at fault, nor away."""
    code = None
    try:
        await group(conversations, "ann", title="a\0b")
    except Refused as refused:
        code = refused.code
    assert code == {"sqlite": None, "postgresql": "bad_request"}[database.dialect]

"""What every Log guarantees."""

import asyncio

import pytest

from signaling.adapters.sql import Database, SqlConversations, SqlLog
from signaling.errors import Refused
from signaling.model import Conversation, Member
from signaling.ports import Conversations, End, Log
from tests.making import APP, conversation, group, joined, member, message


@pytest.fixture
def log(database: Database) -> Log:
    return SqlLog(database)


@pytest.fixture
def conversations(database: Database) -> Conversations:
    return SqlConversations(database)


async def test_seq_runs_without_gaps_however_many_append_at_once(
    log: Log, conversations: Conversations
) -> None:
    one, two = await group(conversations, "ann"), await group(conversations, "ann")
    drafts = [message(name, "ann", f"{name}-{n}") for n in range(40) for name in (one, two)]
    made = await asyncio.gather(*(log.append(draft) for draft in drafts))
    for name in (one, two):
        seqs = sorted(a.event.seq for a in made if a.event.conversation == name)
        assert seqs == list(range(1, 41))
        assert [event.seq for event in await log.read(name, limit=100)] == seqs
        found = await conversations.get(APP, name)
        assert found is not None
        assert (found.head, found.messages) == (40, 40)


async def test_appends_of_one_caller_keep_their_order(
    log: Log, conversations: Conversations
) -> None:
    name = await group(conversations, "ann")
    tasks = [asyncio.create_task(log.append(message(name, "ann", str(n)))) for n in range(50)]
    assert [(await task).event.seq for task in tasks] == list(range(1, 51))


async def test_the_same_client_id_gives_the_first_answer(
    log: Log, conversations: Conversations
) -> None:
    name = await group(conversations, "ann")
    first = await log.append(message(name, "ann", "x"))
    again = await log.append(message(name, "ann", "x"))
    assert again.duplicate
    assert not first.duplicate
    assert again.event == first.event


async def test_the_same_client_id_twice_in_one_commit(
    log: Log, conversations: Conversations
) -> None:
    name = await group(conversations, "ann")
    made = await asyncio.gather(*(log.append(message(name, "ann", "x")) for _ in range(5)))
    assert [item.duplicate for item in made] == [False, True, True, True, True]
    assert len({item.event.id for item in made}) == 1


async def test_another_payload_under_the_same_client_id_is_a_conflict(
    log: Log, conversations: Conversations
) -> None:
    name, other = await group(conversations, "ann"), await group(conversations, "ann")
    await log.append(message(name, "ann", "x"))
    with pytest.raises(Refused) as refused:
        await log.append(message(other, "ann", "x", text="else"))
    assert refused.value.code == "conflict"
    assert not await log.read(other, limit=10)


async def test_a_client_id_belongs_to_its_sender_and_app(
    log: Log, conversations: Conversations
) -> None:
    name = await group(conversations, "ann", "bob")
    there = await group(conversations, "ann", app="other")
    await log.append(message(name, "ann", "x"))
    assert not (await log.append(message(name, "bob", "x"))).duplicate
    assert not (await log.append(message(there, "ann", "x", app="other"))).duplicate


async def test_a_refused_append_leaves_no_trace_in_its_commit(
    log: Log, conversations: Conversations
) -> None:
    name = await group(conversations, "ann", "bob")

    def only_ann(_: Conversation, who: Member | None) -> None:
        if who is None or who.user != "ann":
            raise Refused("forbidden", "no")

    senders = ["ann", "bob", "eve", "ann", "bob", "ann"]
    made = await asyncio.gather(
        *(log.append(message(name, user, str(n)), only_ann) for n, user in enumerate(senders)),
        return_exceptions=True,
    )
    assert [isinstance(item, Refused) for item in made] == [s != "ann" for s in senders]
    assert [event.seq for event in await log.read(name, limit=10)] == [1, 2, 3]


async def test_another_apps_conversation_does_not_exist(
    log: Log, conversations: Conversations
) -> None:
    name = await group(conversations, "ann", app="other")
    with pytest.raises(Refused) as refused:
        await log.append(message(name, "ann", "x"))
    assert refused.value.code == "not_found"
    assert await conversations.get(APP, name) is None


async def test_a_message_moves_its_senders_watermarks(
    log: Log, conversations: Conversations
) -> None:
    name = await group(conversations, "ann", "bob")
    await asyncio.gather(*(log.append(message(name, "ann", str(n), at=50 + n)) for n in range(3)))
    ann = await conversations.member(name, "ann")
    bob = await conversations.member(name, "bob")
    assert ann is not None
    assert bob is not None
    assert (ann.read, ann.delivered, ann.sent_at) == (3, 3, 52)
    assert (bob.read, bob.delivered, bob.sent_at) == (0, 0, 0)


async def test_pages_run_forward_and_backward(log: Log, conversations: Conversations) -> None:
    name = await group(conversations, "ann")
    for n in range(10):
        await log.append(message(name, "ann", str(n)))
    assert [e.seq for e in await log.read(name, after=3, limit=3)] == [4, 5, 6]
    assert [e.seq for e in await log.read(name, before=9, limit=3)] == [6, 7, 8]
    assert [e.seq for e in await log.read(name, before=3, limit=9)] == [1, 2]
    third = await log.get(name, 3)
    assert third is not None
    assert third.seq == 3
    assert await log.get(name, 11) is None


async def test_history_hides_what_was_before_a_member(
    log: Log, conversations: Conversations
) -> None:
    name = "c_hidden"
    members = [member(name, "ann"), member(name, "bob", from_seq=3)]
    await conversations.create(conversation(name, alias="den"), members, [])
    for n in range(5):
        await log.append(message(name, "ann", str(n)))
    seen = await log.history(APP, "den", "bob", limit=10)
    assert seen is not None
    assert [event.seq for event in seen.events] == [3, 4, 5]
    backward = await log.history(APP, name, "bob", before=5, limit=10)
    assert backward is not None
    assert [event.seq for event in backward.events] == [3, 4]
    assert await log.history(APP, name, "eve", limit=10) is None
    assert await log.history("other", name, "ann", limit=10) is None


async def test_threads_and_replies_refer_to_messages(
    log: Log, conversations: Conversations
) -> None:
    name = await group(conversations, "ann")
    await log.append(joined(name, "ann"))
    await log.append(message(name, "ann", "root"))
    await log.append(message(name, "ann", "r1", refers=(2,), thread=2, at=7))
    await log.append(message(name, "ann", "r2", refers=(2, 3), thread=2, reply_to=3, at=8))
    assert [e.seq for e in await log.read(name, limit=9, thread=2)] == [3, 4]
    root = await log.get(name, 2)
    assert root is not None
    assert root.data["replies"] == {"count": 2, "seq": 4, "at": 8}
    for wrong in ({"refers": (1,)}, {"refers": (9,)}):
        with pytest.raises(Refused) as refused:
            await log.append(message(name, "ann", "w", **wrong))
        assert refused.value.code == "not_found"
    with pytest.raises(Refused) as refused:
        await log.append(message(name, "ann", "w", refers=(3,), thread=3))
    assert refused.value.code == "bad_request"


async def test_since_finds_what_grew(log: Log, conversations: Conversations) -> None:
    quiet, busy = await group(conversations, "ann", "bob"), await group(conversations, "ann")
    await log.append(message(quiet, "bob", "q"))
    _, position = await log.tail(-1, 0)
    await log.append(message(busy, "eve", "1"))
    await log.append(message(busy, "eve", "2"))
    missed = await log.since(APP, "ann", position, {}, 300)
    assert missed.known
    assert missed.position == position + 2
    assert [(g.standing.conversation.id, len(g.events)) for g in missed.gaps] == [(busy, 2)]
    assert missed.gaps[0].standing.unread == 2
    later = await log.since(APP, "ann", missed.position, {}, 300)
    assert not later.gaps


async def test_since_limits_and_what_is_known_wins(log: Log, conversations: Conversations) -> None:
    name = await group(conversations, "ann")
    for n in range(5):
        await log.append(message(name, "eve", str(n)))
    limited = (await log.since(APP, "ann", 0, {}, 3)).gaps[0]
    assert ([e.seq for e in limited.events], limited.limited) == ([1, 2, 3], True)
    _, end = await log.tail(-1, 0)
    known = (await log.since(APP, "ann", end, {name: 4}, 3)).gaps[0]
    assert ([e.seq for e in known.events], known.limited) == ([5], False)


async def test_since_says_so_when_the_position_is_of_another_log(
    log: Log, conversations: Conversations
) -> None:
    assert not (await log.since(APP, "ann", 99, {}, 3)).known


async def test_tail_is_the_whole_log_in_order_of_commit(
    log: Log, conversations: Conversations
) -> None:
    here, there = await group(conversations, "ann"), await group(conversations, "ann", app="other")
    assert await log.tail(-1, 0) == ([], 0)
    await log.append(message(here, "ann", "1"))
    await log.append(message(there, "ann", "2", app="other"))
    await log.append(message(here, "ann", "3"))
    events, reached = await log.tail(0, 2)
    assert [(app, event.conversation) for app, event in events] == [(APP, here), ("other", there)]
    rest, end = await log.tail(reached, 10)
    assert [event.position for _, event in rest] == [3]
    assert await log.tail(end, 10) == ([], end)


async def test_ends_say_how_far_each_conversation_came(
    log: Log, conversations: Conversations
) -> None:
    here, there = await group(conversations, "ann"), await group(conversations, "ann", app="other")
    drafts = [message(here, "ann", "1"), message(here, "ann", "2"), joined(there, "bob", "other")]
    for draft in [*drafts, message(there, "ann", "3", app="other"), message(here, "ann", "4")]:
        await log.append(draft)
    found = {end.conversation: end for end in await log.ends(1, 4)}
    assert found == {
        here: End(app=APP, conversation=here, seq=2, membership=False),
        there: End(app="other", conversation=there, seq=2, membership=True),
    }
    assert await log.ends(5, 9) == []


async def test_mentions_count_until_read(log: Log, conversations: Conversations) -> None:
    name = await group(conversations, "ann", "bob")
    await log.append(message(name, "ann", "1", mentions=["bob", "bob"]))
    await log.append(message(name, "ann", "2", mentions=["*"]))
    await log.append(message(name, "ann", "3"))
    here = await conversations.standing(APP, name, "bob")
    assert here is not None
    assert (here.unread, here.mentions) == (3, 2)
    await conversations.advance(APP, name, "bob", read=1)
    here = await conversations.standing(APP, name, "bob")
    assert here is not None
    assert (here.unread, here.mentions) == (2, 1)

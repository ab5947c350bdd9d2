"""The node between log, broker and sockets: order, gaps, membership, and the moment of opening."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from signaling import topics
from signaling.adapters.sql import SqlConversations, SqlLog, SqlUsers, open_database
from signaling.model import Change, Conversation, Draft, Event, Identity, Member
from signaling.ports import Hint
from tests.fresh import fresh
from tests.making import APP, identity, joined, message
from tests.signaling.node_world import HALL, World


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Its log is swept when a test says so: on a slow machine a second may pass in any of them."""
    monkeypatch.setattr("signaling.node.ROUND_S", 3_600.0)
    database = await open_database(f"sqlite:///{fresh(tmp_path / 'log.db')}")
    made = World(SqlLog(database), SqlConversations(database), SqlUsers(database))
    conversation = Conversation(id=HALL, app=APP, type="group", created_at=1, created_by="ann")
    members = [
        Member(conversation=HALL, user=user, role="member", joined_at=1) for user in ("ann", "bob")
    ]
    await made.conversations.create(conversation, members, [])
    await made.node.start()
    yield made
    await made.node.close()
    await database.close()


async def test_hints_pass_in_order_and_once(world: World) -> None:
    ann = identity("ann")
    await world.node.opened(ann, None)
    one, two = await world.say("1"), await world.say("2")
    for event in (one, one, two, one, two):
        await world.hint(event)
    assert world.sockets.seqs(ann) == [1, 2]


async def test_a_hint_behind_a_gap_brings_what_was_lost_first(world: World) -> None:
    ann = identity("ann")
    await world.node.opened(ann, None)
    await world.hint(await world.say("1"))
    for text in ("2", "3"):
        await world.say(text)  # lost on the way
    last = await world.say("4")
    await world.hint(last)
    await world.sockets.until(ann, [1, 2, 3, 4])
    await world.hint(last)
    assert world.sockets.seqs(ann) == [1, 2, 3, 4]


async def test_hints_that_overtake_each_other_are_put_in_order(world: World) -> None:
    ann = identity("ann")
    await world.node.opened(ann, None)
    events = [await world.say(str(n)) for n in range(5)]
    for event in (events[3], events[1], events[0], events[4], events[2]):
        await world.hint(event)
    await world.sockets.until(ann, [1, 2, 3, 4, 5])


async def test_the_tail_brings_what_no_hint_announced(world: World) -> None:
    ann = identity("ann")
    await world.node.opened(ann, None)
    await world.hint(await world.say("1"))
    for text in ("2", "3"):
        await world.say(text)
    await world.node.tail.round()
    await world.sockets.until(ann, [1, 2, 3])
    await world.node.tail.round()
    assert world.sockets.seqs(ann) == [1, 2, 3]


async def test_a_lost_hint_that_nobody_here_listens_to_costs_nothing(world: World) -> None:
    await world.say("1")
    await world.node.tail.round()
    assert world.sockets.told == {}


async def test_what_the_snapshot_holds_is_not_told_again(world: World) -> None:
    """Events between subscribing and `session:ready` come after it, those in it do not."""
    ann, bob = identity("ann"), identity("bob")
    await world.node.opened(bob, None)
    world.snapshot.begun.clear()
    before = await world.say("1")
    world.snapshot.go_on.clear()
    opening = asyncio.create_task(world.node.opened(ann, None))
    await world.snapshot.begun.wait()
    during = await world.say("2")
    await world.hint(before)
    await world.hint(during)
    assert world.sockets.seqs(ann) == []
    world.snapshot.go_on.set()
    ready = await opening
    assert ready["missed"]["conversations"][0]["head"] == 1
    await world.hint(await world.say("3"))
    assert world.sockets.seqs(ann) == [2, 3]
    assert world.sockets.seqs(bob) == [1, 2, 3]


async def test_a_snapshot_ahead_of_the_node_spares_that_connection(world: World) -> None:
    ann, bob = identity("ann"), identity("bob")
    await world.node.opened(bob, None)
    await world.hint(await world.say("1"))
    two = await world.say("2")  # committed, its hint still on the way
    await world.node.opened(ann, None)
    await world.hint(two)
    await world.hint(await world.say("3"))
    assert world.sockets.seqs(bob) == [1, 2, 3]
    assert world.sockets.seqs(ann) == [3]


async def test_a_new_member_listens_from_the_joining_on(world: World) -> None:
    ann, cy = identity("ann"), identity("cy")
    await world.node.opened(ann, None)
    await world.node.opened(cy, None)
    await world.say("1")  # lost: ann shall get it, cy never
    event = await world.join("cy")
    hint = Hint(event="member:joined", data=event.to_wire())
    await world.publish(topics.user(APP, "cy"), hint)
    await world.sockets.until(cy, [2])
    await world.sockets.until(ann, [1, 2])
    await world.hint(event)
    await world.hint(await world.say("3"))
    assert world.sockets.seqs(cy) == [2, 3]
    assert world.sockets.seqs(ann) == [1, 2, 3]


def mine(event: Event) -> tuple[str, Hint]:
    """A membership event as the user it is about is told it."""
    return topics.user(APP, event.data["user"]), Hint(event=event.type, data=event.to_wire())


async def test_who_was_removed_hears_nothing_after_it_in_a_page_from_the_log(world: World) -> None:
    ann, bob = identity("ann"), identity("bob")
    await world.node.opened(ann, None)
    await world.node.opened(bob, None)
    await world.say("1")
    await world.left("bob")
    await world.say("3")
    await world.hint(await world.say("4"))
    await world.sockets.until(ann, [1, 2, 3, 4])
    assert world.sockets.seqs(bob) == [1, 2]


async def test_who_was_removed_hears_nothing_after_it_on_the_same_turn(world: World) -> None:
    ann, bob = identity("ann"), identity("bob")
    await world.node.opened(ann, None)
    await world.node.opened(bob, None)
    hall = topics.conversation(APP, HALL)
    for event in (await world.left("bob"), await world.say("2")):
        await world.elsewhere.publish(hall, Hint(event=event.type, data=event.to_wire()))
    await asyncio.sleep(0)
    assert (world.sockets.seqs(ann), world.sockets.seqs(bob)) == ([1, 2], [1])


async def test_who_left_and_came_back_at_once_goes_on_hearing(world: World) -> None:
    bob = identity("bob")
    await world.node.opened(bob, None)
    for event in (await world.left("bob"), await world.join("bob")):
        await world.elsewhere.publish(*mine(event))
    await asyncio.sleep(0)
    await world.settled()
    await world.hint(await world.say("3"))
    assert world.sockets.seqs(bob) == [1, 2, 3]


async def test_a_connection_that_opens_while_another_leaves_goes_on_hearing(world: World) -> None:
    ann, bob = identity("ann"), identity("bob")
    await world.node.opened(bob, None)
    places = await world.conversations.reaches(APP, "ann")
    left = await world.left("bob")
    world.node.sessions.put(ann)
    world.node.membership.apply(APP, left.to_wire())
    await world.node.fanout.hear(world.node.membership.enter(ann, places))
    await world.settled()
    await world.hint(left)
    assert world.sockets.seqs(ann) == [1]


async def test_who_came_and_was_removed_at_once_hears_no_more(world: World) -> None:
    ann, cy = identity("ann"), identity("cy")
    await world.node.opened(ann, None)
    await world.node.opened(cy, None)
    for event in (await world.join("cy"), await world.left("cy")):
        await world.elsewhere.publish(*mine(event))
    await asyncio.sleep(0)
    await world.settled()
    await world.hint(await world.say("3"))
    await world.sockets.until(ann, [1, 2, 3])
    assert world.sockets.seqs(cy) == [1, 2]


async def test_memberships_that_overtake_each_other_end_as_the_log_does(world: World) -> None:
    """Two nodes tell them: what is older than what was heard changes nothing."""
    bob, cy = identity("bob"), identity("cy")
    await world.node.opened(bob, None)
    await world.node.opened(cy, None)
    came, went = await world.join("cy"), await world.left("cy")
    gone, back = await world.left("bob"), await world.join("bob")
    for event in (went, came, back, gone):
        await world.publish(*mine(event))
    await world.settled()
    await world.hint(await world.say("5"))
    await world.sockets.until(bob, [1, 2, 3, 4, 5])
    assert world.sockets.seqs(cy) == []


async def test_a_removal_while_a_connection_opens_is_not_overlooked(world: World) -> None:
    """Its user's conversations were read before they were removed from one."""
    ann, bob = identity("ann"), identity("bob")
    await world.node.opened(ann, None)
    places = await world.conversations.reaches(APP, "bob")
    world.node.sessions.put(bob)
    await world.node.fanout.listen(bob.connection, [topics.user(APP, "bob")])
    await world.publish(*mine(await world.left("bob")))
    await world.node.fanout.hear(world.node.membership.enter(bob, places))
    await world.hint(await world.say("2"))
    await world.sockets.until(ann, [1, 2])
    assert world.sockets.seqs(bob) == []


async def test_a_gap_that_shows_while_one_is_filled_is_filled_too(world: World) -> None:
    ann = identity("ann")
    await world.node.opened(ann, None)
    await world.say("1")  # lost on the way
    two = await world.say("2")
    world.reader.go_on.clear()
    await world.hint(two)
    await world.reader.begun.wait()
    await world.say("3")  # lost on the way
    await world.hint(await world.say("4"))
    world.reader.go_on.set()
    await world.settled()
    assert world.sockets.seqs(ann) == [1, 2, 3, 4]


async def test_the_sweep_brings_what_was_never_published(world: World) -> None:
    """Its request was cancelled after the commit; the node is alone, and no gap shows."""
    ann = identity("ann")
    await world.node.opened(ann, None)
    await world.say("1")
    for _ in range(2):
        await world.node.tail.sweep()
    assert world.sockets.seqs(ann) == [1]


async def test_a_hint_that_fails_keeps_nobody_from_theirs(world: World) -> None:
    def fails(_app: str, _name: str, _data: dict[str, Any]) -> None:
        raise LookupError

    failed: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: failed.append(context["exception"]))
    ann = identity("ann")
    await world.node.opened(ann, None)
    world.node.controls["it:fails"] = fails
    topic = topics.conversation(APP, HALL)
    await world.elsewhere.publish(topic, Hint(event="it:fails", data={}))
    await world.hint(await world.say("1"))
    await world.sockets.until(ann, [1])
    assert [type(error) for error in failed] == [LookupError]


async def test_the_sweep_reads_nothing_of_what_hints_brought(world: World) -> None:
    ann = identity("ann")
    await world.node.opened(ann, None)
    for text in ("1", "2"):
        await world.hint(await world.say(text))
    for _ in range(2):
        await world.node.tail.sweep()
    assert world.reader.pages == 0
    await world.say("3")
    for _ in range(2):
        await world.node.tail.sweep()
    assert world.sockets.seqs(ann) == [1, 2, 3]
    assert world.reader.pages == 1


async def test_the_sweep_finds_a_joining_that_nobody_here_listens_for(world: World) -> None:
    cy = identity("cy")
    await world.node.opened(cy, None)
    event = await world.join("cy")
    for _ in range(2):
        await world.node.tail.sweep()
    await world.settled()
    assert world.sockets.seqs(cy) == [event.seq]


def bodies(world: World, who: Identity) -> list[Any]:
    """Of the edits somebody was told."""
    told = world.sockets.told.get(who.connection, [])
    return [data["body"] for event, data in told if event == "message:edited"]


async def test_an_edit_of_what_a_member_does_not_see_has_no_body_for_them(world: World) -> None:
    ann, cy, dan = identity("ann"), identity("cy"), identity("dan")
    await world.say("1")
    seat = Member(conversation=HALL, user="dan", role="member", joined_at=1, from_seq=2)
    draft = joined(HALL, "dan")
    await world.conversations.decide(
        APP, HALL, ["dan"], lambda _: Change(members=(seat,), drafts=(draft,))
    )
    for who in (ann, cy, dan):
        await world.node.opened(who, None)
    came = (await world.log.append(change_data(joined(HALL, "cy"), from_seq=3))).event
    await world.publish(*mine(came))
    await world.settled()
    seen = await world.say("4")
    for target in (1, seen.seq):
        edit = replace(
            message(HALL, "ann"),
            type="message:edited",
            data={"target": target, "body": {"text": "new"}, "mentions": ["bob"]},
        )
        await world.hint((await world.log.append(edit)).event)
    await world.settled()
    assert bodies(world, ann) == [{"text": "new"}] * 2
    assert bodies(world, cy) == bodies(world, dan) == [None, {"text": "new"}]
    edits = [data for event, data in world.sockets.told[cy.connection] if event == "message:edited"]
    assert "mentions" not in edits[0]


def change_data(draft: Draft, **fields: Any) -> Draft:
    """With more to say."""
    return replace(draft, data={**draft.data, **fields})


async def test_a_new_token_gives_and_takes_the_administrators_topic(world: World) -> None:
    ann = identity("ann", admin=True)
    await world.node.opened(ann, None)
    report = Hint(event="report:created", data={"report": "r"})
    for admin, told in ((False, 0), (True, 1), (False, 1)):
        world.admin = admin
        await world.node.refresh(ann, "ann")
        await world.publish(topics.admins(APP), report)
        heard = [event for event, _ in world.sockets.told.get(ann.connection, [])]
        assert heard.count("report:created") == told


async def test_revocation_cuts_the_device_named(world: World) -> None:
    phone, laptop = identity("ann"), identity("ann", device="laptop")
    await world.node.opened(phone, None)
    await world.node.opened(laptop, None)
    hint = Hint(event="session:revoked", data={"device": "laptop", "reason": "signed_out"})
    await world.publish(topics.user(APP, "ann"), hint)
    assert world.sockets.closed == [(laptop.connection, "revoked")]
    await world.publish(topics.user(APP, "ann"), Hint(event="session:revoked", data={}))
    assert set(world.sockets.closed) == {
        (laptop.connection, "revoked"),
        (phone.connection, "revoked"),
    }


async def test_a_closed_connection_hears_nothing(world: World) -> None:
    ann = identity("ann")
    await world.node.opened(ann, None)
    await world.node.closed(ann, "bye")
    await world.hint(await world.say("1"))
    assert world.sockets.seqs(ann) == []
    assert world.node.fanout.topics() == []

"""What a device missed, and receipts."""

from tests.house import House
from tests.making import identity


async def test_a_month_away_and_back_complete_in_order_once(house: House) -> None:
    name = await house.group("ann", "bob")
    ready = await house.messaging.history.ready(identity("bob"), None)
    for n in range(450):
        await house.send("ann", name, f"{n}")
    back = await house.messaging.history.ready(identity("bob"), ready["cursor"])
    (missed,) = back["missed"]["conversations"]
    seqs = [event["seq"] for event in missed["events"]]
    assert (len(seqs), missed["limited"], missed["head"], missed["unread"]) == (300, True, 452, 450)
    while seqs[-1] < missed["head"]:
        page = await house.ask("bob", "history:get", conversation=name, after=seqs[-1], limit=100)
        seqs += [event["seq"] for event in page["events"]]
    assert seqs == list(range(3, 453))
    again = await house.messaging.history.ready(identity("bob"), back["cursor"])
    assert again["missed"]["conversations"] == []


async def test_ready_without_a_cursor_lists_conversations(house: House) -> None:
    name = await house.group("ann", "bob")
    await house.send("ann", name, mentions=["bob"])
    missed = (await house.messaging.history.ready(identity("bob"), None))["missed"]
    (entry,) = missed["conversations"]
    assert (entry["id"], entry["head"], entry["unread"], entry["mentions"]) == (name, 3, 1, 1)
    assert entry["last_event"]["seq"] == 3
    assert [member["user"] for member in entry["members"]] == ["ann", "bob"]


async def test_what_is_unread_in_total_is_there_whatever_is_missed(house: House) -> None:
    """A badge needs no conversation list: not the rest of its pages, not after a cursor."""
    for _ in range(2):
        name = await house.group("ann", "bob")
        for mentions in ([], ["*"]):
            await house.send("ann", name, mentions=mentions)
    totals = {"unread_total": 4, "mentions_total": 2}
    page = await house.ask("bob", "conversation:list", limit=1)
    first = await house.messaging.history.ready(identity("bob"), None)
    again = await house.messaging.history.ready(identity("bob"), first["cursor"])
    for answer in (page, first, again):
        assert {field: answer[field] for field in totals} == totals
    await house.ask("bob", "receipt:read", conversation=name, seq=4)
    after = await house.messaging.history.ready(identity("bob"), first["cursor"])
    assert (after["unread_total"], after["mentions_total"]) == (2, 1)


async def test_a_cursor_of_another_log_gives_the_whole_list(house: House) -> None:
    await house.group("ann")
    ready = await house.messaging.history.ready(identity("ann"), "pffffff")
    assert "unread" in ready["missed"]["conversations"][0]
    assert "events" not in ready["missed"]["conversations"][0]
    assert await house.refused("ann", "sync", cursor="nonsense") == "bad_request"


async def test_sync_compares_what_is_known(house: House) -> None:
    name, other = await house.group("ann"), await house.group("eve")
    for n in range(3):
        await house.send("ann", name, f"{n}")
    cursor = (await house.ask("ann", "sync", cursor=None))["cursor"]
    answer = await house.ask("ann", "sync", cursor=cursor, conversations={name: 2, other: 0})
    (entry,) = [entry for entry in answer["conversations"] if entry["events"]]
    assert [event["seq"] for event in entry["events"]] == [3, 4]
    assert all(entry["id"] == name for entry in answer["conversations"])


async def test_who_was_removed_learns_only_that(house: House) -> None:
    name = await house.group("ann", "bob")
    cursor = (await house.ask("bob", "sync", cursor=None))["cursor"]
    await house.send("ann", name)
    await house.ask("ann", "member:remove", conversation=name, user="bob")
    await house.send("ann", name)
    (entry,) = (await house.ask("bob", "sync", cursor=cursor))["conversations"]
    assert entry["left"]
    assert [event["type"] for event in entry["events"]] == ["member:left"]


async def test_own_sends_and_read_marks_reach_the_other_device(house: House) -> None:
    name = await house.group("ann", "bob")
    await house.send("bob", name)
    cursor = (await house.ask("ann", "sync", cursor=None))["cursor"]
    await house.ask("ann", "receipt:read", conversation=name, seq=3)
    (entry,) = (await house.ask("ann", "sync", cursor=cursor))["conversations"]
    assert (entry["events"], entry["read"], entry["unread"]) == ([], 3, 0)


async def test_receipts_are_told_to_small_conversations_only(house: House) -> None:
    small = await house.group("ann", "bob")
    large = await house.group("ann", *(f"u{n}" for n in range(120)))
    for name in (small, large):
        await house.send("ann", name)
        head = (await house.ask("ann", "history:get", conversation=name))["head"]
        user = "bob" if name == small else "u7"
        answer = await house.ask(user, "receipt:read", conversation=name, seq=head)
        assert answer == {"delivered": head, "read": head}
    assert house.ear.events(f"c:acme:{small}")[-1] == "receipt:updated"
    assert "receipt:updated" not in house.ear.events(f"c:acme:{large}")
    assert house.ear.events("u:acme:u7")[-1] == "receipt:updated"
    counts = await house.ask("ann", "receipt:get", conversation=large, seq=122)
    assert (counts["read_count"], counts["member_count"], "members" in counts) == (2, 121, False)
    assert await house.refused("eve", "receipt:read", conversation=small, seq=1) == "not_found"
    assert await house.refused("ann", "receipt:get", conversation=small, seq=99) == "not_found"


async def test_an_edit_of_what_came_before_the_joining_tells_nothing_of_it(house: House) -> None:
    name = await house.group("ann", history="joining")
    old = await house.send("ann", name, "secret", mentions=["ann"])
    await house.ask("ann", "member:add", conversation=name, user="bob")
    cursor = (await house.ask("bob", "sync", cursor=None))["cursor"]
    body = {"text": "new secret"}
    edit = await house.ask("ann", "message:edit", conversation=name, seq=old, body=body)
    seen = (await house.events("bob", name))[-1]
    assert (seen["seq"], seen["target"], seen["body"]) == (edit["seq"], old, None)
    assert "mentions" not in seen
    (missed,) = (await house.ask("bob", "sync", cursor=cursor))["conversations"]
    assert missed["events"] == [seen]
    (listed,) = (await house.ask("bob", "conversation:list"))["conversations"]
    assert listed["last_event"] == missed["last_event"] == seen
    assert (await house.events("ann", name))[-1]["body"] == body
    joined = next(data for _, hint in house.ear.heard if (data := hint.data).get("user") == "bob")
    assert joined["from_seq"] == seen["seq"] - 1

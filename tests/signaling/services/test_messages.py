"""Messages: sent, changed, found, forgotten."""

import pytest

from signaling.errors import Refused
from tests.house import House


async def test_a_send_is_answered_once_and_published_once(house: House) -> None:
    name = await house.group("ann", "bob")
    send = {"conversation": name, "client_id": "x", "type": "text", "body": {"text": "hi"}}
    first = await house.ask("ann", "message:send", **send)
    again = await house.ask("ann", "message:send", **send)
    assert (first["duplicate"], again["duplicate"]) == (False, True)
    assert {k: first[k] for k in ("id", "seq", "at")} == {k: again[k] for k in ("id", "seq", "at")}
    assert house.ear.events(f"c:acme:{name}").count("message:created") == 1
    other = {**send, "body": {"text": "ho"}}
    assert await house.refused("ann", "message:send", **other) == "conflict"


async def test_the_order_of_keys_does_not_make_another_payload(house: House) -> None:
    name = await house.group("ann")
    send = {"conversation": name, "client_id": "x", "type": "app.card"}
    await house.ask("ann", "message:send", **send, body={"a": 1, "b": 2})
    assert (await house.ask("ann", "message:send", **send, body={"b": 2, "a": 1}))["duplicate"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"body": {"text": ""}}, "bad_request"),
        ({"body": {"text": 5}}, "bad_request"),
        ({"body": {"text": "x" * 33_000}}, "too_large"),
        ({"mentions": ["u"] * 101}, "bad_request"),
        ({"type": "No Such"}, "bad_request"),
        ({"type": "location", "body": {"latitude": 1}}, "bad_request"),
        ({"type": "location", "body": {"latitude": 91, "longitude": 0}}, "bad_request"),
        ({"type": "location", "body": {"latitude": True, "longitude": 0}}, "bad_request"),
        ({"client_id": ""}, "bad_request"),
        ({"reply_to": 99}, "not_found"),
        ({"reply_to": 1}, "not_found"),
        ({"thread": 99}, "not_found"),
        ({"conversation": "c_none"}, "not_found"),
        ({"expires_in": 0}, "bad_request"),
        ({"send_at": 1}, "bad_request"),
    ],
)
async def test_what_does_not_fit_is_refused(
    house: House, change: dict[str, object], code: str
) -> None:
    name = await house.group("ann")
    send = {"conversation": name, "client_id": "x", "type": "text", "body": {"text": "hi"}}
    assert await house.refused("ann", "message:send", **{**send, **change}) == code
    assert len(await house.events("ann", name)) == 1


async def test_channels_are_written_by_admins_and_read_by_many(house: House) -> None:
    name = await house.group("ann", "bob", type="channel")
    send = {"conversation": name, "client_id": "x", "type": "text", "body": {"text": "hi"}}
    assert await house.refused("bob", "message:send", **send) == "forbidden"
    seq = await house.send("ann", name)
    await house.ask("bob", "reaction:set", conversation=name, seq=seq, emoji="👍", on=True)
    await house.ask("bob", "message:send", **send, admin=True)


async def test_muted_members_and_slow_mode(house: House) -> None:
    name = await house.group("ann", "bob")
    until = house.now + 500
    await house.ask("ann", "member:update", conversation=name, user="bob", muted_until=until)
    send = {"conversation": name, "client_id": "x", "type": "text", "body": {"text": "hi"}}
    assert await house.refused("bob", "message:send", **send) == "forbidden"
    house.now += 501
    await house.ask("bob", "message:send", **send)
    await house.ask("ann", "conversation:update", conversation=name, slow_mode_ms=1_000)
    assert await house.refused("bob", "message:send", **{**send, "client_id": "y"}) == (
        "rate_limited"
    )
    assert (await house.ask("bob", "message:send", **send))["duplicate"]
    await house.send("ann", name)
    await house.send("ann", name)
    house.now += 1_000
    await house.send("bob", name)


async def test_a_block_silences_the_pair(house: House) -> None:
    name = await house.direct("ann", "bob")
    await house.ask("ann", "user:block", user="bob")
    send = {"conversation": name, "client_id": "x", "type": "text", "body": {"text": "hi"}}
    assert await house.refused("bob", "message:send", **send) == "forbidden"
    assert await house.refused("ann", "message:send", **send) == "forbidden"
    await house.ask("bob", "user:unblock", user="ann")
    assert await house.refused("bob", "message:send", **send) == "forbidden"
    await house.ask("ann", "user:unblock", user="bob")
    await house.send("bob", name)
    await house.ask("eve", "user:block", user="ann")
    later = await house.direct("ann", "eve")
    assert await house.refused("ann", "message:send", **{**send, "conversation": later}) == (
        "forbidden"
    )


async def test_an_edit_shows_in_history_and_only_its_sender_makes_it(house: House) -> None:
    name = await house.group("ann", "bob")
    seq = await house.send("ann", name, "helo")
    edit = {"conversation": name, "seq": seq, "body": {"text": "hello"}}
    assert await house.refused("bob", "message:edit", **edit) == "forbidden"
    answer = await house.ask("ann", "message:edit", **edit)
    events = {event["seq"]: event for event in await house.events("bob", name)}
    assert events[seq]["body"] == {"text": "hello"}
    assert (events[seq]["edited_seq"], events[seq]["edited_at"]) == (answer["seq"], house.now)
    assert (events[answer["seq"]]["type"], events[answer["seq"]]["target"]) == (
        "message:edited",
        seq,
    )
    assert await house.refused("ann", "message:edit", **{**edit, "seq": 1}) == "not_found"


async def test_recall_takes_the_body_from_everywhere(house: House) -> None:
    name = await house.group("ann", "bob")
    seq = await house.send("ann", name, "a secret")
    await house.ask("bob", "message:search", query="secret")
    await house.ask("ann", "message:edit", conversation=name, seq=seq, body={"text": "secret 2"})
    assert await house.refused("bob", "message:recall", conversation=name, seq=seq) == "forbidden"
    await house.ask("ann", "message:recall", conversation=name, seq=seq)
    events = await house.events("bob", name)
    assert "secret" not in str(events)
    (event,) = [event for event in events if event["seq"] == seq]
    assert (event["body"], event["recalled"]) == (None, True)
    assert (await house.ask("bob", "message:search", query="secret"))["events"] == []
    again = await house.ask("ann", "message:recall", conversation=name, seq=seq)
    assert not again["changed"]
    edit = {"conversation": name, "seq": seq, "body": {"text": "x"}}
    assert await house.refused("ann", "message:edit", **edit) == "not_found"


async def test_recall_has_its_time_and_admins_have_theirs(house: House) -> None:
    name = await house.group("ann", "bob", "cat")
    await house.ask("ann", "conversation:update", conversation=name, recall_limit_ms=100)
    seq = await house.send("bob", name)
    house.now += 101
    recall = {"conversation": name, "seq": seq}
    assert await house.refused("bob", "message:recall", **recall) == "forbidden"
    assert await house.refused("cat", "message:recall", **recall) == "forbidden"
    await house.ask("ann", "message:recall", **recall)


async def test_reactions_and_pins_stand_on_the_message(house: House) -> None:
    name = await house.group("ann", "bob")
    seq = await house.send("ann", name)
    for user in ("ann", "bob"):
        await house.ask(user, "reaction:set", conversation=name, seq=seq, emoji="👍", on=True)
    same = await house.ask("bob", "reaction:set", conversation=name, seq=seq, emoji="👍", on=True)
    assert not same["changed"]
    await house.ask("ann", "reaction:set", conversation=name, seq=seq, emoji="👍", on=False)
    pin = {"conversation": name, "seq": seq}
    assert await house.refused("bob", "message:pin", **pin) == "forbidden"
    await house.ask("ann", "message:pin", **pin)
    (event,) = [event for event in await house.events("bob", name) if event["seq"] == seq]
    assert (event["reactions"], event["pinned"]) == ({"👍": ["bob"]}, True)
    got = await house.ask("bob", "conversation:get", conversation=name)
    assert got["conversation"]["settings"]["pins"] == [seq]


async def test_a_thread_is_read_by_itself(house: House) -> None:
    name = await house.group("ann", "bob")
    root = await house.send("ann", name, "root")
    await house.send("ann", name, "aside")
    reply = await house.send("bob", name, "reply", thread=root, reply_to=root)
    page = await house.ask("ann", "history:get", conversation=name, thread=root)
    assert [event["seq"] for event in page["events"]] == [reply]
    (event,) = [event for event in await house.events("bob", name) if event["seq"] == root]
    assert event["replies"]["count"] == 1


async def test_expired_messages_have_no_body(house: House) -> None:
    name = await house.group("ann", "bob")
    seq = await house.send("ann", name, "burns soon", expires_in=1)
    await house.ask("bob", "message:search", query="burns")
    house.now += 1_000
    (event,) = [event for event in await house.events("bob", name) if event["seq"] == seq]
    assert (event["body"], event["expired"]) == (None, True)
    assert await house.messaging.scheduling.expire() == 1
    assert await house.messaging.scheduling.expire() == 0
    kept = await house.log.get(name, seq)
    assert kept is not None
    assert kept.data["body"] is None
    assert (await house.ask("bob", "message:search", query="burns"))["events"] == []


async def test_scheduled_messages_go_out_once(house: House) -> None:
    name = await house.group("ann", "bob")
    later = house.now + 1_000
    send = {
        "conversation": name,
        "client_id": "later",
        "type": "text",
        "body": {"text": "good morning"},
        "send_at": later,
    }
    kept = await house.ask("ann", "message:send", **send)
    assert (await house.ask("ann", "message:send", **send)) == kept
    assert await house.messaging.scheduling.send_due() == 0
    listed = await house.ask("ann", "scheduled:list")
    assert [item["id"] for item in listed["scheduled"]] == [kept["scheduled"]]
    assert (await house.ask("bob", "scheduled:list"))["scheduled"] == []
    house.now = later
    assert await house.messaging.scheduling.send_due() == 1
    assert await house.messaging.scheduling.send_due() == 0
    bodies = [event.get("body") for event in await house.events("bob", name)]
    assert bodies.count({"text": "good morning"}) == 1


async def test_a_scheduled_message_of_who_left_is_told_as_failed(house: House) -> None:
    name = await house.group("ann", "bob")
    send = {"conversation": name, "client_id": "l", "type": "text", "body": {"text": "x"}}
    kept = await house.ask("bob", "message:send", **send, send_at=house.now + 1)
    assert await house.refused("ann", "scheduled:cancel", scheduled=kept["scheduled"]) == (
        "not_found"
    )
    await house.ask("bob", "conversation:leave", conversation=name)
    house.now += 1
    await house.messaging.scheduling.send_due()
    assert house.ear.events("u:acme:bob")[-1] == "scheduled:failed"
    assert (await house.ask("bob", "scheduled:list"))["scheduled"] == []


async def test_search_finds_ones_own_in_any_script(house: House) -> None:
    name = await house.group("ann", "bob")
    other = await house.group("eve")
    await house.send("ann", name, "今天晚上一起吃饭吗")
    await house.send("bob", name, 'The "Quick" fox 100%')
    await house.send("eve", other, "今天晚上 quick fox")
    for query, hits in (
        ("晚上一", 1),
        ("吃饭", 1),
        ("饭", 1),
        ("QUICK", 1),
        ('"quick"', 1),
        ("100%", 1),
        ("0%", 1),
        ("fox OR", 0),
        ("absent", 0),
    ):
        found = await house.ask("ann", "message:search", query=query)
        assert len(found["events"]) == hits, query
    assert await house.refused("ann", "message:search", query=" ") == "bad_request"
    elsewhere = {"query": "quick", "conversation": other}
    assert await house.refused("ann", "message:search", **elsewhere) == "not_found"


@pytest.mark.parametrize("query", ["fox", "ox"])
async def test_search_pages_newest_first(house: House, query: str) -> None:
    name = await house.group("ann")
    seqs = [await house.send("ann", name, f"fox number {n}") for n in range(5)]
    found, before = [], None
    while True:
        page = await house.ask("ann", "message:search", query=query, limit=2, before=before)
        found += [event["seq"] for event in page["events"]]
        before = page["next"]
        if before is None:
            break
    assert found == seqs[::-1]


async def test_places_and_an_apps_own_kinds_are_kept_as_they_are(house: House) -> None:
    name = await house.group("ann", "bob")
    bodies = {
        "location": {"latitude": -90, "longitude": 116.39, "name": "天安门"},
        "poll.v1": {"question": "where?", "options": ["here", {"deep": [1, None]}]},
    }
    for kind, body in bodies.items():
        await house.send("ann", name, type=kind, body=body)
    kept = await house.events("bob", name)
    assert {event["kind"]: event["body"] for event in kept[2:]} == bodies


async def test_an_edit_waits_for_no_pause(house: House) -> None:
    name = await house.group("ann", "bob")
    await house.ask("ann", "conversation:update", conversation=name, slow_mode_ms=60_000)
    seq = await house.send("bob", name)
    await house.ask("bob", "message:edit", conversation=name, seq=seq, body={"text": "x"})
    message = {"conversation": name, "client_id": "y", "type": "text", "body": {"text": "y"}}
    with pytest.raises(Refused) as caught:
        await house.ask("bob", "message:send", **message)
    assert (caught.value.code, caught.value.retry_after_ms) == ("rate_limited", 60_000)
    await house.send("ann", name)
    await house.send("ann", name)

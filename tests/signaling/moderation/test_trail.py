"""What administrators and moderators do is in the audit trail, and its chain holds."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import encode_basic_auth

from tests.signaling.moderation.conftest import World
from tests.wire_client import RequestRefused, WireClient


class Place:
    """Ann owns a group with Bob in it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ann, self.bob = (WireClient(world.process.url, name) for name in ("ann", "bob"))
        self.id = ""

    async def open(self) -> "Place":
        for client in (self.ann, self.bob):
            await client.connect()
        made = await self.ann.request(
            "conversation:create", type="group", client_id="g", members=["bob"]
        )
        self.id = made["conversation"]["id"]
        return self

    async def close(self) -> None:
        for client in (self.ann, self.bob):
            await client.close()

    async def act(self, action: str) -> tuple[str, str, dict[str, Any]]:
        """(actor, subject, details) of the one record of this action."""
        (record,) = await self.world.acts(action)
        trail = self.world.process.moderating.trail.store
        assert (await trail.verify("demo")).broken_at is None
        return record["actor"], record["subject"], record["details"]


@pytest.fixture
async def place(world: World) -> AsyncIterator[Place]:
    made = await Place(world).open()
    yield made
    await made.close()


async def test_members_added_and_removed(place: Place) -> None:
    here = {"conversation": place.id}
    await place.ann.request("member:add", **here, user="cid")
    added = {**here, "role": "member"}
    assert await place.act("member:added") == ("user:ann", "cid", added)
    await place.ann.request("member:add", **here, user="cid")
    assert len(await place.world.acts("member:added")) == 1, "nothing was done"
    await place.ann.request("member:remove", **here, user="cid")
    assert await place.act("member:removed") == ("user:ann", "cid", here)


async def test_invitations_without_their_secret(place: Place) -> None:
    made = await place.ann.request("invite:create", conversation=place.id, max_uses=2)
    secret = made["invite"]["id"]
    actor, subject, details = await place.act("invite:created")
    assert (actor, subject, details["max_uses"]) == ("user:ann", place.id, 2)
    assert secret not in str(details)
    await place.ann.request("invite:revoke", invite=secret)
    actor, subject, details = await place.act("invite:revoked")
    assert (actor, subject) == ("user:ann", place.id)
    assert secret.startswith(details["invite"])


async def test_tokens_that_were_minted_and_what_they_allow(place: Place) -> None:
    issued = await place.world.process.registry.create_key("demo", "minting", ("tokens",))
    signer = {"Authorization": encode_basic_auth(issued.key.id, issued.secret)}
    wish = {"user": "eve", "grants": {"admin": True}, "jti": "j1"}
    async with place.world.http.post("/v1/tokens", json=wish, headers=signer) as answer:
        assert answer.status == 201
        minted = await answer.json()
    actor, subject, details = await place.act("token:minted")
    assert (actor, subject) == (f"key:{issued.key.id}", "eve")
    assert (details["grants"]["admin"], details["jti"]) == (True, "j1")
    assert minted["token"] not in str(details)


async def test_what_moderators_do_in_a_room(place: Place) -> None:
    joined = {}
    for name, client in (("ann", place.ann), ("bob", place.bob)):
        joined[name] = await client.request("room:join", room=place.id)
    mine, other = joined["ann"]["participant"], joined["bob"]["participant"]
    muted = await place.ann.request("participant:mute", room=place.id, participant=other)
    assert muted["tracks"] == []
    assert "user" not in muted
    here = {"room": place.id, "participant": other}
    assert await place.act("participant:muted") == ("user:ann", "bob", {**here, "tracks": []})
    with pytest.raises(RequestRefused):
        await place.bob.request("participant:remove", room=place.id, participant=mine)
    await place.ann.request("participant:remove", room=place.id, participant=other)
    assert await place.act("participant:removed") == ("user:ann", "bob", here)
    await place.ann.request("participant:mute", room=place.id, participant=mine)
    assert len(await place.world.acts("participant:muted")) == 1, "one's own is no act"

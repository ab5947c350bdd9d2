"""The NodeRegistry's contract."""

from __future__ import annotations

import asyncio

from tests.contract.worlds import PERIOD_MS, World


async def test_announced_nodes_are_listed_with_their_info(world: World) -> None:
    registry = world.registry()
    await registry.announce("one", {"address": "10.0.0.1"})
    await registry.announce("two", {})
    assert await registry.nodes() == {"one": {"address": "10.0.0.1"}, "two": {}}
    await registry.withdraw("one")
    assert set(await registry.nodes()) == {"two"}


async def test_a_claim_is_exclusive(world: World) -> None:
    registry = world.registry()
    assert await registry.claim("app/room", "one") == "one"
    assert await registry.claim("app/room", "two") == "one"
    assert await registry.claim("app/room", "one") == "one"
    assert await registry.claim("app/other", "two") == "two"


async def test_of_many_claimants_one_wins(world: World) -> None:
    registry = world.registry()
    holders = await asyncio.gather(*(registry.claim("r", f"node{n}") for n in range(20)))
    assert len(set(holders)) == 1


async def test_a_released_room_can_be_claimed_by_another(world: World) -> None:
    registry = world.registry()
    await registry.claim("r", "one")
    await registry.release("r", "two")
    assert await registry.claim("r", "two") == "one"
    await registry.release("r", "one")
    assert await registry.claim("r", "two") == "two"


async def test_a_node_that_withdraws_leaves_its_rooms(world: World) -> None:
    registry = world.registry()
    await registry.announce("one", {})
    await registry.claim("r", "one")
    await registry.claim("s", "one")
    await registry.withdraw("one")
    assert await registry.claim("r", "two") == "two"
    assert await registry.claim("s", "three") == "three"


async def test_a_dead_node_and_its_claims_run_out(world: World) -> None:
    registry = world.registry()
    await registry.announce("one", {})
    assert await registry.claim("r", "one") == "one"
    await world.passes(PERIOD_MS)
    assert await registry.claim("r", "two") == "two"
    assert await registry.nodes() == {}


async def test_a_holder_that_claims_again_keeps_the_room(world: World) -> None:
    registry = world.registry()
    await registry.claim("r", "one")
    await registry.claim("idle", "one")
    await world.passes(PERIOD_MS // 2)
    assert await registry.claim("r", "one") == "one"
    await world.passes(PERIOD_MS // 2)
    assert await registry.claim("idle", "two") == "two"
    assert await registry.claim("r", "two") == "one"

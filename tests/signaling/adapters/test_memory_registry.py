"""What only the registry in memory has to do: Redis forgets what ran out by itself."""

from signaling.adapters.memory_registry import MemoryRegistry


async def test_claims_that_ran_out_are_forgotten() -> None:
    now = 0.0
    registry = MemoryRegistry(100, lambda: now)
    for n in range(1_000):
        await registry.claim(f"app/room{n}", "one")
        now += 1
    assert len(registry._claims) <= 201
    assert await registry.claim("app/room999", "two") == "one"
    assert await registry.claim("app/room0", "two") == "two"

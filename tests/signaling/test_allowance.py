"""Rates of asking: what passes, what is refused, what is forgotten."""

from typing import Any

import pytest
from msgspec.structs import replace

from signaling.allowance import (
    PRUNE_AT,
    Allowance,
    Allowances,
    AllowedHooks,
    Asking,
    Rate,
    Rates,
    Standing,
)
from signaling.errors import Refused
from signaling.model import Grants, Identity
from signaling.ports import Remote

FREE = Rate(0, 0)


class Clock:
    """UTC milliseconds that a test moves."""

    now = 1_000

    def __call__(self) -> int:
        return self.now


class Node:
    """Answers everything."""

    async def authenticate(self, auth: Any, remote: Remote) -> Identity:
        who: Identity = auth.get("who") or person("ann", remote.connection)
        return who

    async def opened(self, who: Identity, cursor: str | None) -> dict[str, Any]:
        return {}

    async def request(self, who: Identity, event: str, payload: Any) -> dict[str, Any]:
        return {"event": event}

    async def closed(self, who: Identity, reason: str) -> None:
        return None


def person(user: str, connection: str) -> Identity:
    return Identity(
        app="a",
        user=user,
        device="d",
        connection=connection,
        name=user,
        grants=Grants(),
        expires_at=2**53,
    )


def test_a_burst_passes_then_the_rate() -> None:
    clock = Clock()
    allowance = Allowance(Rate(10, 3), clock)
    for _ in range(3):
        allowance.take("x")
    with pytest.raises(Refused) as refused:
        allowance.take("x")
    assert refused.value.code == "rate_limited"
    assert refused.value.retry_after_ms is not None
    clock.now += refused.value.retry_after_ms
    allowance.take("x")


def test_no_rate_means_no_limit_and_no_memory() -> None:
    allowance = Allowance(FREE, Clock())
    for _ in range(10_000):
        allowance.take("x")
    assert len(allowance) == 0


def test_strangers_do_not_pile_up() -> None:
    clock = Clock()
    allowance = Allowance(Rate(10, 10), clock)
    for number in range(3 * PRUNE_AT):
        allowance.take(number)
        clock.now += 1
    assert len(allowance) <= 2 * PRUNE_AT


def free(**rates: Rate) -> Allowances:
    """Without limits but these."""
    kinds = ("connection", "user", "app", "address", "comers", "rest")
    return Allowances(Rates(**{**dict.fromkeys(kinds, FREE), **rates}), Clock())


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("connection", person("ann", "1"), person("ann", "2")),
        ("user", person("ann", "1"), person("bob", "2")),
        ("app", person("ann", "1"), replace(person("ann", "2"), app="b")),
        ("address", person("ann", "1"), person("ann", "2")),
    ],
)
async def test_one_caller_empties_only_its_own(
    kind: str, first: Identity, second: Identity
) -> None:
    allowances = free(**{kind: Rate(1, 1)})
    hooks = AllowedHooks(Node(), allowances)
    for number, who in enumerate((first, second)):
        remote = Remote(connection=who.connection, address=f"192.0.2.{number}")
        await hooks.authenticate({"who": who}, remote)
    await hooks.request(first, "sync", {})
    with pytest.raises(Refused):
        await hooks.request(first, "sync", {})
    assert await hooks.request(second, "sync", {}) == {"event": "sync"}
    assert allowances.stats() == {"refused_total": 1}


async def test_an_address_that_connects_too_often_is_refused() -> None:
    hooks = AllowedHooks(Node(), free(comers=Rate(1, 1)))
    remote = Remote(connection="1", address="192.0.2.1")
    await hooks.authenticate({}, remote)
    with pytest.raises(Refused) as refused:
        await hooks.authenticate({}, remote)
    assert refused.value.code == "rate_limited"


async def test_sockets_and_rest_draw_from_the_same_buckets() -> None:
    allowances = free(user=Rate(1, 1))
    await AllowedHooks(Node(), allowances).request(person("ann", "1"), "sync", {})
    with pytest.raises(Refused):
        await allowances.ask(Asking("a", "192.0.2.1", caller="user:ann", user="ann"))
    await allowances.ask(Asking("a", "192.0.2.1", caller="user:bob", user="bob"))


@pytest.mark.parametrize("kind", ["rest", "user", "app", "address"])
async def test_the_tightest_bucket_is_told(kind: str) -> None:
    rates = dict.fromkeys(("rest", "user", "app", "address"), Rate(1, 9))
    allowances = free(**{**rates, kind: Rate(1, 3)})
    asking = Asking("a", "192.0.2.1", caller="user:ann", user="ann")
    await allowances.ask(asking)
    assert allowances.standing(asking) == Standing(3, 2, 1)


async def test_without_limits_nothing_is_told() -> None:
    assert free().standing(Asking("a", "192.0.2.1", caller="key:k")) is None

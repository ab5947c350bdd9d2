"""Tokens that run out under the Python client."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from signaling import dev
from signaling.app import Process
from signaling.auth.tokens import Tokens
from signaling.client import Client
from signaling.errors import Refused
from tests.signaling.ahead import ahead

WAIT_S = 90
SHORT_S = 600
LONG_S = 40_000


async def mint(process: Process, user: str, lifetime_s: int = LONG_S) -> str:
    settings = process._settings
    key = await dev.guest_key(process.registry, settings.storage.data_dir, settings.master_key)
    return await Tokens(process.registry).mint(key, user, lifetime_s=lifetime_s)


@asynccontextmanager
async def patience() -> AsyncIterator[None]:
    async with asyncio.timeout(WAIT_S):
        yield


async def test_a_token_is_renewed_before_it_runs_out(process: Process) -> None:
    asked, again = 0, asyncio.Event()

    async def provide() -> str:
        nonlocal asked
        asked += 1
        if asked == 2:
            again.set()
        return await mint(process, "ann", SHORT_S if asked == 1 else LONG_S)

    async with patience(), Client(process.url, provide, timeout_s=60) as ann:
        first = ann.session["expires_at"]
        ahead(process, SHORT_S - 40)
        await again.wait()
        while all(who.expires_at == first for who in process.node.sessions):
            await asyncio.sleep(0.01)  # until the new one has come
        async with Client(process.url, await mint(process, "bob", SHORT_S), timeout_s=60) as bob:
            # Bob's token is younger and not renewed: when his ends, Ann's first one has.
            assert bob.session["expires_at"] >= first
            ahead(process, SHORT_S + 100)
            with pytest.raises(Refused):
                await anext(aiter(bob.events()))
        await ann.request("presence:watch", users=[])
        assert asked == 2


async def test_a_token_that_cannot_be_renewed_ends_the_events(process: Process) -> None:
    async with (
        patience(),
        Client(process.url, await mint(process, "ann", SHORT_S), timeout_s=60) as ann,
    ):
        ahead(process, SHORT_S + 100)
        with pytest.raises(Refused) as refused:
            await anext(aiter(ann.events()))
        assert refused.value.code == "unauthorized"
        with pytest.raises(Refused) as refused:
            await ann.request("presence:watch", users=[])
        assert refused.value.code == "unauthorized"


async def test_a_client_whose_token_ran_out_comes_back_with_a_new_one(process: Process) -> None:
    asked, again = 0, asyncio.Event()

    async def provide() -> str:
        nonlocal asked
        asked += 1
        if asked == 2:
            again.set()
            raise Refused("unavailable", "no tokens now")
        return await mint(process, "ann", SHORT_S if asked == 1 else LONG_S)

    bob = Client(process.url, await mint(process, "bob"), timeout_s=60)
    async with patience(), bob, Client(process.url, provide, timeout_s=60) as ann:
        place = (await ann.request("conversation:join", alias="lobby", create=True))["conversation"]
        await bob.request("conversation:join", alias="lobby")
        first = ann.session["expires_at"]
        ahead(process, SHORT_S - 40)
        await again.wait()
        ahead(process, SHORT_S + 100)
        said = await bob.send(place["id"], {"text": "still there?"})
        seqs = []
        async for event in ann.events():
            seqs.append(event["seq"])
            if event["seq"] == said["seq"]:
                said = await bob.send(place["id"], {"text": "and now?"})
            if ann.session["expires_at"] > first:
                break
        assert asked == 3
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))


async def test_what_the_provider_raises_ends_the_events(process: Process) -> None:
    asked = 0

    async def provide() -> str:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise ZeroDivisionError
        return await mint(process, "ann", SHORT_S)

    async with patience(), Client(process.url, provide, timeout_s=60) as ann:
        ahead(process, SHORT_S - 40)
        with pytest.raises(ZeroDivisionError):
            await anext(aiter(ann.events()))

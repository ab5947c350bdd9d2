"""The way out to addresses that others chose: never into private networks, whatever the trick."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from signaling.http.lookup import EACH, Lookup
from signaling.http.poster import Guard, HttpPoster, is_public
from signaling.outbox.dispatcher import PostFailed


class Names(AbstractResolver):
    """A name server that answers differently every time, as a rebinding attacker's does."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        """Nothing is held."""


class Site:
    """A server inside the private network that must not be reached."""

    def __init__(self) -> None:
        self.port = 0
        self.hits: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.hits.append(request.path)
        if request.path == "/away":
            return web.Response(status=307, headers={"Location": "/secret"})
        return web.Response()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    application = web.Application()
    application.router.add_post("/{any}", made.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


async def refusal(poster: HttpPoster, url: str) -> str:
    with pytest.raises(PostFailed) as failed:
        await poster.post(url, {}, b"{}", "demo")
    return str(failed.value)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::ffff:127.0.0.1]",
        "[::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "2130706433",
        "127.1",
        "0x7f.1",
        "017700000001",
        "localhost",
    ],
)
async def test_no_spelling_of_a_private_address_is_let_through(site: Site, host: str) -> None:
    async with HttpPoster() as poster:
        await refusal(poster, f"http://{host}:{site.port}/x")
    assert site.hits == []


@pytest.mark.parametrize("answer", ["127.0.0.1", "::ffff:127.0.0.1", "::1", "10.0.0.1"])
async def test_a_name_that_leads_inside_is_refused(site: Site, answer: str) -> None:
    names = Names([answer])
    async with HttpPoster(resolver=names) as poster:
        said = await refusal(poster, f"http://hook.example:{site.port}/x")
    assert "private network" in said
    assert site.hits == []


async def test_a_private_address_among_public_ones_is_left_out() -> None:
    guard = Guard(allow_private=False, resolver=Names(["127.0.0.1", "9.9.9.9", "::1"]))
    assert [one["host"] for one in await guard.resolve("hook.example", 80)] == ["9.9.9.9"]


async def test_the_address_that_was_checked_is_the_one_connected_to(site: Site) -> None:
    """A second question could be answered with another address: it is never asked."""
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    async with HttpPoster(allow_private=True, resolver=names) as poster:
        await poster.post(f"http://hook.example:{site.port}/x", {}, b"{}", "demo")
    assert names.asked == 1
    assert site.hits == ["/x"]


async def test_every_try_is_checked_anew(site: Site) -> None:
    names = Names(["10.0.0.1"], ["127.0.0.1"], ["::1"])
    async with HttpPoster(resolver=names) as poster:
        for _ in range(3):
            await refusal(poster, f"http://hook.example:{site.port}/x")
    assert names.asked == 3
    assert site.hits == []


async def test_redirects_are_not_followed(site: Site) -> None:
    async with HttpPoster(allow_private=True) as poster:
        assert await refusal(poster, f"http://127.0.0.1:{site.port}/away") == "answered 307"
    assert site.hits == ["/away"]


@pytest.mark.parametrize(
    "address", ["::127.0.0.1", "fec0::1", "fe80::1%1", "ff02::1", "100.64.0.1", "224.0.0.1"]
)
def test_what_is_not_the_public_internet(address: str) -> None:
    assert not is_public(address)


def test_an_address_that_carries_a_public_one_is_public() -> None:
    assert is_public("64:ff9b::909:909")
    assert is_public("::ffff:9.9.9.9")


class BlackHole:
    """A name server that swallows questions about one zone, and knows everything else."""

    def __init__(self) -> None:
        self.swallowed = 0
        self.given_up = threading.Event()

    def __call__(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        if host.endswith(".lost.example"):
            self.swallowed += 1
            self.given_up.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@pytest.fixture
async def hole() -> AsyncIterator[BlackHole]:
    made = BlackHole()
    yield made
    made.given_up.set()


async def test_names_of_one_app_that_nobody_answers_keep_no_other_waiting(
    site: Site, hole: BlackHole
) -> None:
    async with HttpPoster(allow_private=True, resolver=Lookup(hole)) as poster:
        lost = [
            asyncio.create_task(poster.post(f"http://{n}.lost.example/x", {}, b"", "lost"))
            for n in range(100)
        ]
        async with asyncio.timeout(60):
            while hole.swallowed < EACH:
                await asyncio.sleep(0)
        await poster.post(f"http://found.example:{site.port}/x", {}, b"", "found")
        assert hole.swallowed == EACH
        for task in lost:
            task.cancel()
        await asyncio.gather(*lost, return_exceptions=True)
    assert site.hits == ["/x"]


async def test_a_question_that_is_given_up_keeps_its_place_until_its_thread_is_free(
    hole: BlackHole,
) -> None:
    names = Lookup(hole)
    for _ in range(EACH + 1):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await names.resolve("a.lost.example")
    async with asyncio.timeout(60):
        while hole.swallowed < EACH:
            await asyncio.sleep(0)
    assert hole.swallowed == EACH
    hole.given_up.set()
    assert [one["host"] for one in await names.resolve("found.example")] == ["127.0.0.1"]
    await names.close()


async def test_names_that_nobody_answers_leave_the_threads_of_files_alone(hole: BlackHole) -> None:
    """Spools, blobs and pictures work on the loop's own threads."""
    async with HttpPoster(allow_private=True, resolver=Lookup(hole)) as poster:
        lost = [
            asyncio.create_task(poster.post("http://a.lost.example/x", {}, b"", f"app {n}"))
            for n in range(20)
        ]
        async with asyncio.timeout(60):
            while hole.swallowed < 20:
                await asyncio.sleep(0)
            assert await asyncio.to_thread(lambda: "written") == "written"
        for task in lost:
            task.cancel()
        await asyncio.gather(*lost, return_exceptions=True)


async def test_no_answer_says_after_how_long(site: Site, hole: BlackHole) -> None:
    async with HttpPoster(allow_private=True, resolver=Lookup(hole)) as poster:
        with pytest.raises(PostFailed, match="no answer within 0 s"):
            await poster.ask("http://a.lost.example/x", {}, b"", "lost", 0.1)

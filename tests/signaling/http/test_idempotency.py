"""`Idempotency-Key`: the same request once, whatever comes twice."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import ClientSession

from signaling.adapters.sql import SqlAnswers, open_database
from signaling.auth.repeats import KEPT_MS, Answered, Repeats
from signaling.auth.sealing import MasterKey
from signaling.errors import Refused
from tests.conftest import MakeProcess
from tests.signaling.http.callers import server_of

WISH = {"name": "robot", "scopes": ["read"]}


@pytest.mark.parametrize("key", ["two words", "schlüssel", "k" * 129])
async def test_a_key_is_what_the_document_says(make_process: MakeProcess, key: str) -> None:
    process = await make_process()
    async with ClientSession(process.url) as client:
        server = await server_of(process, client, "acme")
        assert (await server("POST", "/v1/keys", WISH, Idempotency_Key=key))[0] == 400
        assert (await server("POST", "/v1/keys", WISH, Idempotency_Key="!~"))[0] == 201


async def test_a_repeated_request_gets_the_first_answer(make_process: MakeProcess) -> None:
    process = await make_process()
    async with ClientSession(process.url) as client:
        server = await server_of(process, client, "acme")
        first = await server("POST", "/v1/keys", WISH, Idempotency_Key="one")
        again = await server("POST", "/v1/keys", WISH, Idempotency_Key="one")
        assert again == first
        assert server.headers["Idempotent-Replayed"] == "true"
        status, problem = await server(
            "POST", "/v1/keys", {**WISH, "name": "other"}, Idempotency_Key="one"
        )
        assert (status, problem["code"], problem["retryable"]) == (409, "conflict", False)
        _, other = await server("POST", "/v1/keys", WISH, Idempotency_Key="two")
        assert other["key"] != first[1]["key"]
        elsewhere = await server("POST", "/v1/tokens", {"user": "ann"}, Idempotency_Key="one")
        assert elsewhere[0] == 409


async def test_keys_of_other_callers_are_others(make_process: MakeProcess) -> None:
    process = await make_process()
    async with ClientSession(process.url) as client:
        acme, umbrella = [await server_of(process, client, app) for app in ("acme", "umbrella")]
        _, one = await acme("POST", "/v1/keys", WISH, Idempotency_Key="same")
        _, two = await umbrella("POST", "/v1/keys", WISH, Idempotency_Key="same")
        assert one["key"] != two["key"]


async def test_a_refused_request_may_be_put_right(make_process: MakeProcess) -> None:
    process = await make_process()
    async with ClientSession(process.url) as client:
        server = await server_of(process, client, "acme")
        wrong = await server("POST", "/v1/keys", {"scopes": ["all"]}, Idempotency_Key="one")
        assert wrong[0] == 400
        assert (await server("POST", "/v1/keys", WISH, Idempotency_Key="one"))[0] == 201
        for key in ("x" * 129, ""):
            status, problem = await server("POST", "/v1/keys", WISH, Idempotency_Key=key)
            assert (status, problem["code"]) == (400, "bad_request")


async def test_the_answer_outlives_the_process(make_process: MakeProcess) -> None:
    process = await make_process()
    async with ClientSession(process.url) as client:
        server = await server_of(process, client, "acme")
        first = await server("POST", "/v1/keys", WISH, Idempotency_Key="one")
    await process.close()
    later = await make_process()
    async with ClientSession(later.url) as client:
        server._client = client
        assert await server("POST", "/v1/keys", WISH, Idempotency_Key="one") == first
        _, listed = await server("GET", "/v1/keys")
        assert [key["name"] for key in listed["keys"]].count("robot") == 1


async def test_many_at_once_are_carried_out_once(make_process: MakeProcess) -> None:
    process = await make_process()
    async with ClientSession(process.url) as client:
        server = await server_of(process, client, "acme")
        answers = await asyncio.gather(
            *(server("POST", "/v1/keys", WISH, Idempotency_Key="one") for _ in range(8))
        )
        made = {body["key"] for status, body in answers if status == 201}
        assert len(made) == 1
        assert all(body["retryable"] for status, body in answers if status != 201)
        _, listed = await server("GET", "/v1/keys")
        assert [key["name"] for key in listed["keys"]].count("robot") == 1


def contents(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


class Clock:
    """UTC milliseconds that a test moves."""

    now = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now


async def test_answers_are_sealed_and_expire(tmp_path: Path) -> None:
    path, clock = tmp_path / "test.db", Clock()
    database = await open_database(f"sqlite:///{path}")
    try:
        repeats = Repeats(
            SqlAnswers(database), MasterKey("a master key of tests 0123456789"), clock
        )
        answered = Answered(status=201, content_type="application/json", body=b"the secret")
        assert await repeats.begin("name", "print") is None
        with pytest.raises(Refused, match="not answered yet"):
            await repeats.begin("name", "print")
        await repeats.finish("name", answered)
        assert await repeats.begin("name", "print") == answered
        kept = await asyncio.to_thread(contents, tmp_path)
        assert b"name" in kept
        assert b"the secret" not in kept
        clock.now += KEPT_MS + 1
        await repeats.forget()
        assert await repeats.begin("name", "another") is None
        clock.now += 10 * 60_000  # whoever had it is dead
        assert await repeats.begin("name", "a third") is None
    finally:
        await database.close()

"""FileRecords: one suite, on every database."""

import pytest
from msgspec.structs import replace

from signaling.adapters.sql import Database, SqlFiles
from signaling.services.file_record import File, State


def file(number: int, **changes: object) -> File:
    fields: dict[str, object] = {
        "id": f"f_{number}",
        "app": "app",
        "sender": "ann",
        "client_id": f"{number}",
        "conversation": "c_1",
        "room": None,
        "name": "ü.bin",
        "size": 10,
        "type": "x/y",
        "sha256": f"{number:064x}",
        "created_at": number,
        "touched_at": number,
        **changes,
    }
    return File(**fields)  # type: ignore[arg-type]


@pytest.fixture
def records(database: Database) -> SqlFiles:
    return SqlFiles(database)


async def test_a_client_id_makes_one_file(records: SqlFiles) -> None:
    first = file(1, image={"width": 1, "blurhash": "é"})
    assert await records.create(first) == first
    assert await records.create(file(2, client_id="1")) == first
    assert await records.get("f_1") == first
    assert await records.get("f_2") is None
    assert await records.find("app", "ann", "1") == first
    assert await records.find("app", "bob", "1") is None
    other = file(3, client_id="1", app="other")
    assert await records.create(other) == other


async def test_a_state_is_left_once(records: SqlFiles) -> None:
    made = await records.create(file(1))
    storing = replace(made, state="storing", touched_at=9)
    assert await records.replace(storing, "uploading")
    assert not await records.replace(replace(made, state="cancelled"), "uploading")
    assert await records.get("f_1") == storing


async def test_bytes_are_counted_once_and_promises_too(records: SqlFiles) -> None:
    states: list[State] = ["ready", "storing", "ready", "cancelled", "failed", "uploading"]
    for number, state in enumerate(states):
        sha256 = "a" * 64 if number < 2 else f"{number:064x}"
        await records.create(file(number, state=state, sha256=sha256, size=10))
    await records.create(file(90, app="other", state="ready"))
    assert await records.stored_bytes("app") == 10 + 10 + 10
    assert await records.stored_bytes("nobody") == 0
    assert await records.unfinished("app", "ann") == 1
    found = await records.with_hash("app", "a" * 64)
    assert [one.id for one in found] == ["f_1", "f_0"]


async def test_what_is_stale(records: SqlFiles) -> None:
    await records.create(file(1, state="ready", seq=5))
    await records.create(file(2, state="ready"))
    await records.create(file(3, state="uploading"))
    await records.create(file(4, state="uploading"))
    assert [one.id for one in await records.stale("ready", 9)] == ["f_2"]
    assert [one.id for one in await records.stale("uploading", 9)] == ["f_3", "f_4"]
    assert [one.id for one in await records.stale("uploading", 4, 1)] == ["f_3"]
    await records.create(file(5, state="ready", seq=6))
    assert [one.id for one in await records.posted("", 9)] == ["f_1", "f_5"]
    assert [one.id for one in await records.posted("f_1", 1)] == ["f_5"]
    await records.delete("f_3")
    assert await records.get("f_3") is None

"""FileRecords: one suite, on every database."""

import asyncio

import pytest
from msgspec.structs import replace

from signaling.adapters.sql import Database, SqlConversations, SqlFiles, SqlLog
from signaling.errors import Refused
from signaling.services.file_record import File, blob_of, thumbnail_of
from tests.making import group, message


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


async def kept(records: SqlFiles, made: File, now: int = 9) -> File:
    """A file that has become `ready`."""
    await records.create(made)
    storing = await records.keep(made, now)
    assert storing is not None
    ready = replace(storing, state="ready", touched_at=now)
    assert await records.replace(ready, "storing")
    return ready


SAME = "a" * 64


async def test_the_same_bytes_share_a_blob_while_one_has_it(records: SqlFiles) -> None:
    first = await kept(records, file(1, sha256=SAME, image={"width": 1}))
    second = await kept(records, file(2, sha256=SAME))
    assert second.blob == first.blob == first.own_blob
    assert second.image == first.image
    twin = await records.create(file(3, sha256=SAME))
    adopted = await records.adopt(twin, first, 10)
    assert adopted is not None
    assert (adopted.state, adopted.blob) == ("ready", first.blob)
    assert await records.adopt(twin, first, 10) is None
    for number in (1, 2):
        await records.delete(f"f_{number}")
    assert await records.unreferenced([first.blob]) == []
    await records.delete("f_3")
    assert await records.unreferenced([first.blob, ""]) == [first.blob]
    late = await records.create(file(4, sha256=SAME))
    assert await records.adopt(late, first, 10) is None
    assert (await kept(records, file(5, sha256=SAME))).blob != first.blob
    assert await records.unreferenced([first.blob]) == [first.blob]


async def test_bytes_are_counted_once_and_promises_too(records: SqlFiles) -> None:
    await kept(records, file(1, sha256=SAME))
    await kept(records, file(2, sha256=SAME))
    await kept(records, file(3))
    for number, state in enumerate(("cancelled", "failed"), start=4):
        await records.create(file(number, state=state))
    await records.create(file(6))
    await kept(records, file(90, app="other"))
    assert await records.stored_bytes("app") == 10 + 10 + 10
    assert await records.stored_bytes("nobody") == 0
    assert await records.unfinished("app", "ann") == 1
    found = await records.with_hash("app", SAME)
    assert [one.id for one in found] == ["f_2", "f_1"]
    for number, left in ((1, 30), (2, 20), (4, 20), (6, 10), (3, 0), (3, 0)):
        await records.delete(f"f_{number}")
        assert await records.stored_bytes("app") == left
    assert await records.stored_bytes("other") == 10


async def test_the_space_of_an_app_is_never_promised_twice(records: SqlFiles) -> None:
    asked = [records.create(file(number), 25) for number in range(5)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert [one.code for one in refused] == ["quota_exceeded"] * 3
    assert await records.stored_bytes("app") == 20
    first = next(answer for answer in answers if isinstance(answer, File))
    assert await records.create(first, 25) == first


async def test_what_is_stale(records: SqlFiles) -> None:
    await kept(records, file(1, conversation=None, room="lobby"), 2)
    await kept(records, file(2), 2)
    posted = await kept(records, file(5), 2)
    await records.replace(replace(posted, seq=6), "ready")
    await records.create(file(3))
    await records.create(file(4))
    assert [one.id for one in await records.stale("ready", 9)] == ["f_1"]
    assert [one.id for one in await records.stale("uploading", 9)] == ["f_3", "f_4"]
    assert [one.id for one in await records.stale("uploading", 4, 1)] == ["f_3"]
    for number, spool in ((6, None), (7, "here"), (8, "there")):
        await records.keep(await records.create(file(number, spool=spool)), number)
    assert [one.id for one in await records.half_done("here", 9)] == ["f_2", "f_6", "f_7"]
    assert [one.id for one in await records.stranded("here", 9)] == ["f_8"]
    await records.touch(["f_2", "f_8"], 20)
    assert [one.id for one in await records.half_done("here", 9)] == ["f_6", "f_7"]
    assert await records.stranded("here", 9) == []
    await records.delete("f_3")
    assert await records.get("f_3") is None


async def test_an_upload_that_moves_is_not_abandoned(records: SqlFiles) -> None:
    made = await records.create(file(1))
    assert await records.hold("f_1", "here", 50)
    assert await records.abandon(made, 50, 60) is None
    given_up = await records.abandon(made, 51, 60)
    assert given_up is not None
    assert (given_up.state, given_up.touched_at, given_up.spool) == ("cancelled", 60, "here")
    assert not await records.hold("f_1", "here", 70)
    assert await records.stored_bytes("app") == 0


async def test_files_whose_messages_are_gone(records: SqlFiles, database: Database) -> None:
    log = SqlLog(database)
    name = await group(SqlConversations(database), "ann")
    for number in range(1, 6):
        body = {"body": None} if number == 2 else {}
        draft = message(name, "ann", f"{number}", **body)
        seq = (await log.append(draft)).event.seq
        posted = await kept(records, file(number, conversation=name))
        await records.replace(replace(posted, seq=99 if number == 4 else seq), "ready")
    gone, following = await records.withdrawn("", 3)
    assert ([one.id for one in gone], following) == (["f_2"], "f_3")
    gone, following = await records.withdrawn("f_3", 3)
    assert ([one.id for one in gone], following) == (["f_4"], None)


def test_a_thumbnails_key_leads_to_its_blob() -> None:
    for app in ("app", "thumbnails"):
        blob = file(1, app=app).own_blob
        assert thumbnail_of(blob) != blob == blob_of(blob) == blob_of(thumbnail_of(blob))

"""What nobody will finish goes away; what a crash left half done is finished."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from signaling.adapters.blobs import LocalBlobs
from signaling.errors import Refused
from signaling.model import Change, Scene
from signaling.protocol.files import FileFetch
from signaling.services.file_finish import LOST_MS
from signaling.services.file_sweep import ABANDONED_MS, HALF_DONE_MS
from tests.signaling.files.conftest import House, person

ANN, BOB = person("ann"), person("bob")
CONTENT = os.urandom(200_000)


def spools(house: House) -> list[str]:
    return [path.name for path in (house.directory / "spool").iterdir()]


def blobs(house: House) -> list[str]:
    return [path.name for path in (house.directory / "blobs").rglob("*") if path.is_file()]


def age(house: House, at_ms: int) -> None:
    """Date every spool and blob to a time."""
    for path in [*(house.directory / "spool").iterdir(), *(house.directory / "blobs").rglob("*")]:
        os.utime(path, (at_ms / 1000, at_ms / 1000))


async def started(house: House, client_id: str = "one") -> str:
    offered = await house.offer(ANN, CONTENT, client_id)
    upload = await house.filing.files.begin(ANN, offered.file)
    await upload.write(0, CONTENT[:1000])
    upload.close()
    return offered.file


async def test_an_upload_abandoned_for_a_day_is_given_up(house: House) -> None:
    file = await started(house)
    age(house, house.now)
    house.now += ABANDONED_MS - 1000
    await house.filing.sweep.sweep()
    assert spools(house) == [file]
    house.now += 2000
    await house.filing.sweep.sweep()
    assert spools(house) == []
    with pytest.raises(Refused):
        await house.filing.files.fetch(BOB, FileFetch(file=file))
    assert house.published("file:progress")[-1]["state"] == "cancelled"
    house.now += ABANDONED_MS + 1000
    await house.filing.sweep.sweep()
    assert await house.records.get(file) is None


async def test_an_upload_that_still_moves_is_left_alone_by_every_node(house: House) -> None:
    offered = await house.offer(ANN, CONTENT)
    here, there = house.filing, house.make(node="other")
    upload = await here.files.begin(ANN, offered.file)
    house.now += ABANDONED_MS
    await upload.write(0, CONTENT[:1000])
    await here.beat.beat()
    house.now += 2000
    await there.sweep.sweep()
    await here.sweep.sweep()
    await upload.write(1000, CONTENT[1000:])
    await upload.finish()
    upload.close()
    assert await house.read(BOB, offered.file) == CONTENT


async def test_an_upload_that_goes_on_after_a_day_is_not_given_up_meanwhile(house: House) -> None:
    file = await started(house)
    there = house.make(node="other")
    house.now += ABANDONED_MS + 1000
    seen = await house.records.get(file)
    assert seen is not None
    upload = await house.filing.files.begin(ANN, file)
    assert await house.records.abandon(seen, house.now - ABANDONED_MS, house.now) is None
    await there.sweep.sweep()
    await upload.write(0, CONTENT)
    await upload.finish()
    upload.close()
    assert await house.read(BOB, file) == CONTENT


async def test_a_spool_nobody_knows_goes(house: House) -> None:
    (house.directory / "spool" / "f_stranger").write_bytes(b"x")
    age(house, house.now)
    house.now += ABANDONED_MS + 1000
    await house.filing.sweep.sweep()
    assert spools(house) == []


async def test_blobs_without_a_file_go_and_others_stay(house: House) -> None:
    kept = await house.send(ANN, CONTENT, "kept")
    gone = await house.send(ANN, CONTENT[1:], "gone")
    twin = await house.send(BOB, CONTENT, "twin")
    await house.records.delete(gone)
    await house.records.delete(kept)
    house.now += ABANDONED_MS + 1000
    age(house, house.now - ABANDONED_MS - 500)
    await house.filing.sweep.sweep()
    assert len(blobs(house)) == 1
    assert await house.read(ANN, twin) == CONTENT


async def test_an_archive_older_than_any_is_kept_goes(house: House) -> None:
    archive = house.directory / "archive"
    archive.write_bytes(b"private")
    await house.blobs.put_file("exports/app/job_1-1.zip", str(archive))
    for days, left in ((7, 1), (9, 0)):
        age(house, house.now - days * 24 * 3600 * 1000)
        house.make()
        await house.filing.sweep.sweep()
        assert len(blobs(house)) == left


async def recall(house: House, seq: int) -> None:
    """As `message:recall` does."""

    def recalled(scene: Scene) -> Change:
        assert scene.target is not None
        return Change(target={**scene.target.data, "body": None, "recalled": True})

    conversations = house.posts.conversations
    await conversations.decide("app", house.conversation, ["ann"], recalled, seq)


async def test_a_recalled_message_takes_its_file_along(house: House) -> None:
    file = await house.send(ANN, CONTENT)
    link = (await house.filing.files.fetch(BOB, FileFetch(file=file))).download_url
    query = dict(pair.split("=") for pair in link.partition("?")[2].split("&"))
    path = f"/v1/files/{file}"
    await house.filing.files.linked(file, path, **query)
    await recall(house, 1)
    for asked in (
        house.filing.files.fetch(BOB, FileFetch(file=file)),
        house.filing.files.fetch(ANN, FileFetch(file=file)),
        house.filing.files.linked(file, path, **query),
    ):
        with pytest.raises(Refused) as caught:
            await asked
        assert caught.value.code == "not_found"
    assert (await house.offer(BOB, CONTENT)).offset == 0  # nor may it be had by its hash
    house.now += ABANDONED_MS + 1000
    age(house, house.now - ABANDONED_MS - 500)
    await house.filing.sweep.sweep()
    assert await house.records.get(file) is None
    assert blobs(house) == []


async def test_a_file_whose_message_was_erased_is_gone(house: House) -> None:
    file = await house.send(ANN, CONTENT)
    found = await house.records.get(file)
    assert found is not None
    await house.records.replace(replace(found, seq=99), "ready")
    with pytest.raises(Refused) as caught:
        await house.filing.files.fetch(BOB, FileFetch(file=file))
    assert caught.value.code == "not_found"


async def test_a_rooms_file_is_kept_a_day(house: House) -> None:
    house.rooms.present_in = {("ann", "lobby")}
    file = await house.send(ANN, CONTENT, conversation=None, room="lobby")
    house.now += ABANDONED_MS + 1000
    age(house, house.now - ABANDONED_MS - 500)
    await house.filing.sweep.sweep()
    assert await house.records.get(file) is None
    assert blobs(house) == []


async def test_a_crash_before_the_blob_was_kept_is_made_good(house: House) -> None:
    file = await started(house)
    found = await house.records.get(file)
    assert found is not None
    (house.directory / "spool" / file).write_bytes(CONTENT)
    assert await house.records.keep(found, house.now) is not None
    house.make()
    house.now += HALF_DONE_MS + 1000
    await house.filing.sweep.sweep()
    assert await house.read(BOB, file) == CONTENT
    assert [event.type for event in await house.events()] == ["message:created", "file:ready"]
    assert spools(house) == []


async def test_a_crash_before_the_message_is_made_good_once(house: House) -> None:
    file = await house.send(ANN, CONTENT)
    found = await house.records.get(file)
    assert found is not None
    await house.records.replace(replace(found, seq=None), "ready")
    house.make()
    house.now += HALF_DONE_MS + 1000
    await house.filing.sweep.sweep()
    await house.filing.sweep.sweep()
    assert len(await house.events()) == 2
    again = await house.records.get(file)
    assert again is not None
    assert again.seq == 1


class FlakyBlobs(LocalBlobs):
    """A directory that is away as often as told."""

    away = 0

    async def put_file(self, key: str, path: str) -> None:
        if self.away > 0:
            self.away -= 1
            raise Refused("unavailable", "away")
        await super().put_file(key, path)


async def test_a_blob_store_that_was_away_gets_the_bytes_later(house: House) -> None:
    flaky = house.blobs = FlakyBlobs(house.directory / "blobs")
    house.make()
    flaky.away = 3
    with pytest.raises(Refused) as caught:
        await house.send(ANN, CONTENT)
    assert caught.value.retryable
    assert await house.events() == []
    found = await house.records.find("app", "ann", "one")
    assert found is not None
    with pytest.raises(Refused):
        await house.filing.files.status(ANN, found.id)
    with pytest.raises(Refused):
        await house.offer(ANN, CONTENT)
    assert (await house.offer(ANN, CONTENT)).offset == len(CONTENT)
    assert await house.read(BOB, found.id) == CONTENT
    assert len(await house.events()) == 2
    assert spools(house) == []


class SlowBlobs(LocalBlobs):
    """A directory that takes its time to keep bytes."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def put_file(self, key: str, path: str) -> None:
        self.asked.set()
        await self.go_on.wait()
        await super().put_file(key, path)


async def test_a_file_that_is_kept_slowly_is_left_to_its_node(house: House) -> None:
    slow = house.blobs = SlowBlobs(house.directory / "blobs")
    here, there = house.make(), house.make(node="other")
    house.filing = here
    sending = asyncio.create_task(house.send(ANN, CONTENT))
    await slow.asked.wait()
    for _ in range(3):
        house.now += HALF_DONE_MS + 1000
        await there.sweep.sweep()  # a node that has not heard of it for long
        await here.sweep.sweep()
        await here.beat.beat()
    slow.go_on.set()
    assert await house.read(BOB, await sending) == CONTENT
    assert [event.type for event in await house.events()] == ["message:created", "file:ready"]


async def stranded(house: House) -> str:
    """A file whose node died while it was keeping the bytes."""
    file = await started(house)
    found = await house.records.get(file)
    assert found is not None
    assert await house.records.keep(found, house.now) is not None
    (house.directory / "spool" / file).write_bytes(CONTENT)
    return file


async def test_what_a_dead_node_had_kept_is_finished_by_another(house: House) -> None:
    file = await stranded(house)
    found = await house.records.get(file)
    assert found is not None
    await house.blobs.put_file(found.blob, str(house.directory / "spool" / file))
    house.make(node="other")
    await house.filing.sweep.sweep()
    assert await house.events() == []
    house.now += HALF_DONE_MS + 1000
    await house.filing.sweep.sweep()
    assert await house.read(BOB, file) == CONTENT
    assert len(await house.events()) == 2


async def test_what_only_a_dead_node_has_waits_a_day_for_it(house: House) -> None:
    file = await stranded(house)
    house.make(node="other")
    house.now += LOST_MS - 1000
    await house.filing.sweep.sweep()
    assert (await house.offer(ANN, CONTENT)).offset == len(CONTENT)
    waiting = await house.records.get(file)
    assert waiting is not None
    assert waiting.state == "storing"
    house.now += 2000
    await house.filing.sweep.sweep()
    failed = await house.records.get(file)
    assert failed is not None
    assert failed.state == "failed"
    house.make()
    assert spools(house) == [file]


async def test_what_lands_on_another_node_is_not_waited_for_here(house: House) -> None:
    file = await started(house)
    house.make(node="other")
    found = await house.filing.files.readable(BOB, file)
    with pytest.raises(Refused) as caught:
        await house.filing.files.open(found, 0, 10)
    assert caught.value.retryable
    assert not list((house.directory / "other" / "spool").iterdir())


async def test_many_files_of_rooms_do_not_hide_a_message_that_is_missing(house: House) -> None:
    file = await house.send(ANN, CONTENT)
    found = await house.records.get(file)
    assert found is not None
    for number in range(120):
        of_room = replace(found, id=f"f_{number}", client_id=f"{number}", seq=None, touched_at=0)
        await house.records.create(replace(of_room, conversation=None, room="lobby"))
    await house.records.replace(replace(found, seq=None), "ready")
    house.now += HALF_DONE_MS + 1000
    await house.filing.sweep.sweep()
    again = await house.records.get(file)
    assert again is not None
    assert again.seq == 1


class HesitantBlobs(LocalBlobs):
    """A directory whose deletes take long enough for something else to happen."""

    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def delete(self, key: str) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        await super().delete(key)


async def test_bytes_offered_anew_while_they_are_deleted_are_kept(house: House) -> None:
    hesitant = house.blobs = HesitantBlobs(house.directory / "blobs")
    house.make()
    await house.send(ANN, CONTENT)
    await recall(house, 1)
    hesitant.meanwhile = lambda: house.send(BOB, CONTENT, "again")
    await house.filing.sweep.sweep()
    kept = await house.records.find("app", "bob", "again")
    assert kept is not None
    assert await house.read(ANN, kept.id) == CONTENT
    assert len(blobs(house)) == 1


async def test_orphans_are_not_taken_from_who_keeps_the_same_bytes(house: House) -> None:
    hesitant = house.blobs = HesitantBlobs(house.directory / "blobs")
    house.make()
    await house.records.delete(await house.send(ANN, CONTENT))
    house.now += ABANDONED_MS + 1000
    age(house, house.now - ABANDONED_MS - 500)
    hesitant.meanwhile = lambda: house.send(BOB, CONTENT, "again")
    await house.filing.sweep.sweep()
    kept = await house.records.find("app", "bob", "again")
    assert kept is not None
    assert await house.read(ANN, kept.id) == CONTENT


async def test_bytes_lost_in_a_crash_fail_the_file(house: House) -> None:
    file = await started(house)
    found = await house.records.get(file)
    assert found is not None
    assert await house.records.keep(found, house.now) is not None
    house.make()
    house.now += HALF_DONE_MS + 1000
    await house.filing.sweep.sweep()
    failed = await house.records.get(file)
    assert failed is not None
    assert failed.state == "failed"
    assert await house.events() == []

"""What nobody will finish goes away; what a crash left half done is finished."""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from signaling.adapters.blobs import LocalBlobs
from signaling.adapters.spool import Spool
from signaling.errors import Refused
from signaling.model import Change, Scene
from signaling.protocol.files import FileFetch
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


async def test_an_upload_that_still_moves_is_left_alone(house: House) -> None:
    file = await started(house)
    house.now += ABANDONED_MS + 1000
    age(house, house.now - 1000)
    await house.filing.sweep.sweep()
    assert (await house.offer(ANN, CONTENT)).offset == 1000
    assert spools(house) == [file]


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
    await house.records.replace(replace(found, state="storing"), "uploading")
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


async def test_bytes_lost_in_a_crash_fail_the_file(house: House) -> None:
    file = await started(house)
    found = await house.records.get(file)
    assert found is not None
    await house.records.replace(replace(found, state="storing"), "uploading")
    house.make()
    house.now += HALF_DONE_MS + 1000
    await house.filing.sweep.sweep()
    failed = await house.records.get(file)
    assert failed is not None
    assert failed.state == "failed"
    assert await house.events() == []


async def test_a_second_process_does_not_write_the_same_spool(house: House) -> None:
    offered = await house.offer(ANN, CONTENT)
    upload = await house.filing.files.begin(ANN, offered.file)
    first = house.filing
    house.make()
    with pytest.raises(Refused) as caught:
        await house.filing.files.begin(ANN, offered.file)
    assert (caught.value.code, caught.value.retryable) == ("conflict", True)
    upload.close()
    assert first is not house.filing
    (await house.filing.files.begin(ANN, offered.file)).close()


async def test_a_full_disk_is_told_and_what_fits_stays(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = await house.offer(ANN, CONTENT)
    upload = await house.filing.files.begin(ANN, offered.file)
    real = os.pwrite

    def full(descriptor: int, data: bytes, offset: int) -> int:
        return real(descriptor, data[:700], offset)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(Refused) as caught:
        await upload.write(0, CONTENT)
    assert caught.value.code == "unavailable"
    assert upload.offset == 700
    monkeypatch.undo()
    await upload.write(700, CONTENT[700:])
    await upload.finish()
    upload.close()
    assert await house.read(BOB, offered.file) == CONTENT


def test_a_file_id_is_never_a_path(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    for name in ("../x", "a/b", "", ".", "x" * 65, "a\0"):
        with pytest.raises(Refused):
            spool.open(name)

"""The way of a file: offered, landing, kept, fetched; and everything that is refused."""

import hashlib
import os

import pytest

from signaling.errors import Refused
from signaling.protocol.files import FileCancel, FileFetch, FileOffer
from signaling.services.files import FileLimits
from tests.fitting import check_event
from tests.signaling.files.conftest import House, person

ANN, BOB, EVE = person("ann"), person("bob"), person("eve")
CONTENT = os.urandom(300_000)


async def refusal(awaitable: object) -> Refused:
    with pytest.raises(Refused) as caught:
        await awaitable  # type: ignore[misc]
    return caught.value


async def test_a_file_arrives_whole_and_is_told_in_the_log(house: House) -> None:
    file = await house.send(ANN, CONTENT, name="résumé 简历.pdf", type="application/pdf")
    assert await house.read(BOB, file) == CONTENT
    message, ready = await house.events()
    assert (message.type, message.data["kind"], message.seq) == ("message:created", "file", 1)
    assert message.data["body"] == {
        "file": file,
        "name": "résumé 简历.pdf",
        "size": len(CONTENT),
        "type": "application/pdf",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
    }
    assert (ready.type, ready.data["file"], ready.data["message"]) == ("file:ready", file, 1)
    assert house.published("file:ready") == [ready.to_wire()]
    assert house.published("file:progress")[-1]["state"] == "ready"
    assert not list((house.directory / "spool").iterdir())


async def test_an_empty_file_needs_no_upload(house: House) -> None:
    offered = await house.offer(ANN, b"")
    assert offered.offset == 0
    assert await house.read(BOB, offered.file) == b""
    assert len(await house.events()) == 2


async def test_the_same_offer_resumes_where_bytes_stopped(house: House) -> None:
    offered = await house.offer(ANN, CONTENT)
    upload = await house.filing.files.begin(ANN, offered.file)
    await upload.write(0, CONTENT[:100_000])
    upload.close()
    house.make()  # the process has restarted
    again = await house.offer(ANN, CONTENT)
    assert (again.file, again.offset) == (offered.file, 100_000)
    assert await house.read(BOB, await house.send(ANN, CONTENT)) == CONTENT


async def test_another_file_under_the_same_client_id_is_a_conflict(house: House) -> None:
    await house.offer(ANN, CONTENT)
    assert (await refusal(house.offer(ANN, CONTENT[1:]))).code == "conflict"


async def test_a_newer_upload_takes_over(house: House) -> None:
    offered = await house.offer(ANN, CONTENT)
    old = await house.filing.files.begin(ANN, offered.file)
    await old.write(0, CONTENT[:1000])
    new = await house.filing.files.begin(ANN, offered.file)
    assert (await refusal(old.write(1000, CONTENT[1000:2000]))).code == "conflict"
    old.close()
    assert await new.write(new.offset, CONTENT[1000:]) == len(CONTENT)
    await new.finish()
    new.close()
    assert await house.read(BOB, offered.file) == CONTENT


async def test_a_wrong_sha256_is_refused_and_the_upload_starts_over(house: House) -> None:
    offered = await house.offer(ANN, CONTENT)
    upload = await house.filing.files.begin(ANN, offered.file)
    await upload.write(0, CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))
    assert (await refusal(upload.finish())).code == "bad_request"
    assert upload.offset == 0
    assert await house.events() == []
    await upload.write(0, CONTENT)
    await upload.finish()
    upload.close()
    assert await house.read(BOB, offered.file) == CONTENT


@pytest.mark.parametrize(("offset", "length", "code"), [(1, 5, "conflict"), (0, 11, "too_large")])
async def test_lying_offsets_are_refused(house: House, offset: int, length: int, code: str) -> None:
    offered = await house.offer(ANN, b"0123456789")
    upload = await house.filing.files.begin(ANN, offered.file)
    assert (await refusal(upload.write(offset, b"x" * length))).code == code
    assert (await refusal(upload.finish())).code == "conflict"
    upload.close()


async def test_bytes_sent_twice_are_skipped(house: House) -> None:
    offered = await house.offer(ANN, b"0123456789")
    upload = await house.filing.files.begin(ANN, offered.file)
    assert await upload.write(0, b"012345") == 6
    assert await upload.write(3, b"345678") == 9
    assert await upload.write(0, b"0123456789") == 10
    await upload.finish()
    upload.close()
    assert await house.read(BOB, offered.file) == b"0123456789"


async def test_too_large_and_over_quota(house: House) -> None:
    house.make(FileLimits(file_bytes=1000, app_files_bytes=1500, unfinished=3))
    assert (await refusal(house.offer(ANN, b"x" * 1001))).code == "too_large"
    await house.send(ANN, b"x" * 1000, "kept")
    assert (await refusal(house.offer(ANN, b"y" * 600))).code == "quota_exceeded"
    await house.offer(ANN, b"y" * 500, "promised")
    assert (await refusal(house.offer(ANN, b"z"))).code == "quota_exceeded"
    await house.offer(ANN, b"y" * 500, "promised")  # the same again is no more


async def test_the_same_bytes_count_once_against_the_quota(house: House) -> None:
    house.make(FileLimits(app_files_bytes=2500))
    for client_id in ("a", "b", "c"):
        await house.send(ANN, b"x" * 1000, client_id)
    assert await house.records.stored_bytes("app") == 1000


async def test_unfinished_uploads_are_limited(house: House) -> None:
    house.make(FileLimits(unfinished=2))
    await house.offer(ANN, b"1", "1")
    offered = await house.offer(ANN, b"2", "2")
    assert (await refusal(house.offer(ANN, b"3", "3"))).code == "rate_limited"
    await house.filing.files.cancel(ANN, FileCancel(file=offered.file))
    await house.offer(ANN, b"3", "3")


@pytest.mark.parametrize(
    "name",
    [
        "../etc/passwd", "a/b", "a\\b", "..", "C:x", "nul", "COM1.txt", "a\0b", "a\nb", " a", "a.",
        "x\u202egnp.exe", "ü" * 128, "a\u2028b", "a?b",
    ],
)  # fmt: skip
async def test_names_that_are_no_plain_name_are_refused(house: House, name: str) -> None:
    assert (await refusal(house.offer(ANN, CONTENT, name=name))).code == "bad_request"


async def test_a_conversation_may_be_named_by_its_alias(house: House) -> None:
    offered = await house.offer(ANN, CONTENT, conversation="alias")
    found = await house.records.get(offered.file)
    assert found is not None
    assert found.conversation == house.conversation


async def test_strangers_neither_offer_nor_fetch(house: House) -> None:
    assert (await refusal(house.offer(EVE, CONTENT))).code == "not_found"
    file = await house.send(ANN, CONTENT)
    for who in (EVE, person("ann", app="other"), person("bob", app="other")):
        assert (await refusal(house.filing.files.fetch(who, FileFetch(file=file)))).code == (
            "not_found"
        )
        assert (await refusal(house.filing.files.begin(who, file))).code == "not_found"


async def test_someone_elses_file_is_neither_written_nor_cancelled(house: House) -> None:
    offered = await house.offer(ANN, CONTENT)
    assert (await refusal(house.filing.files.begin(BOB, offered.file))).code == "forbidden"
    cancel = FileCancel(file=offered.file)
    assert (await refusal(house.filing.files.cancel(BOB, cancel))).code == "forbidden"


async def test_a_token_without_files_and_an_offer_without_a_place_are_refused(house: House) -> None:
    assert (await refusal(house.offer(person("ann", files=False), b"x"))).code == "forbidden"
    nowhere = FileOffer(client_id="n", name="n", size=1, sha256="0" * 64)
    assert (await refusal(house.filing.files.offer(ANN, nowhere))).code == "bad_request"
    assert (await refusal(house.offer(ANN, b"x", room="lobby"))).code == "bad_request"


async def test_a_cancelled_upload_is_gone_for_everyone(house: House) -> None:
    offered = await house.offer(ANN, CONTENT)
    upload = await house.filing.files.begin(ANN, offered.file)
    await upload.write(0, CONTENT[:1000])
    file = await house.filing.files.readable(BOB, offered.file)
    download = await house.filing.files.open(file, 0, file.size)
    assert await download.read(1000) == CONTENT[:1000]
    await house.filing.files.cancel(ANN, FileCancel(file=offered.file))
    await house.filing.files.cancel(ANN, FileCancel(file=offered.file))
    assert (await refusal(upload.write(1000, CONTENT[1000:]))).code == "conflict"
    assert (await refusal(download.read(1000))).code == "conflict"
    upload.close()
    await download.close()
    assert (await refusal(house.offer(ANN, CONTENT))).code == "conflict"
    fetch = FileFetch(file=offered.file)
    assert (await refusal(house.filing.files.fetch(BOB, fetch))).code == "not_found"
    assert not list((house.directory / "spool").iterdir())


async def test_a_complete_file_is_not_cancelled(house: House) -> None:
    cancel = FileCancel(file=await house.send(ANN, CONTENT))
    assert (await refusal(house.filing.files.cancel(ANN, cancel))).code == "conflict"


async def test_known_bytes_need_no_upload_for_who_may_read_them(house: House) -> None:
    first = await house.send(ANN, CONTENT)
    offered = await house.offer(BOB, CONTENT, name="b.bin")
    assert offered.offset == len(CONTENT)
    assert offered.file != first
    assert await house.read(ANN, offered.file) == CONTENT
    assert [event.data.get("kind") for event in await house.events()] == ["file", None] * 2
    blobs = [path for path in (house.directory / "blobs").rglob("*") if path.is_file()]
    assert len(blobs) == 1


async def test_knowing_a_hash_is_not_enough_to_get_the_bytes(house: House) -> None:
    house.rooms.present_in = {("eve", "lobby")}
    await house.send(ANN, CONTENT)
    offered = await house.offer(EVE, CONTENT, conversation=None, room="lobby")
    assert offered.offset == 0


async def test_a_message_that_may_not_be_posted_fails_the_file(house: House) -> None:
    house.posts.muted = {"ann"}
    offered = await house.offer(ANN, CONTENT)
    upload = await house.filing.files.begin(ANN, offered.file)
    await upload.write(0, CONTENT)
    assert (await refusal(upload.finish())).code == "forbidden"
    upload.close()
    fetch = FileFetch(file=offered.file)
    assert (await refusal(house.filing.files.fetch(BOB, fetch))).code == "not_found"


async def test_a_standalone_rooms_file_is_for_those_in_it(house: House) -> None:
    house.rooms.present_in = {("ann", "lobby"), ("eve", "lobby")}
    file = await house.send(ANN, CONTENT, conversation=None, room="lobby")
    assert await house.read(EVE, file) == CONTENT
    assert (await refusal(house.read(BOB, file))).code == "not_found"
    (ready,) = house.published("file:ready")
    check_event("file:ready", ready)
    assert (ready["room"], ready["file"], ready["sender"]) == ("lobby", file, "ann")


async def test_progress_is_told_at_most_four_times_a_second(house: House) -> None:
    offered = await house.offer(ANN, b"x" * 100)
    upload = await house.filing.files.begin(ANN, offered.file)
    for offset in range(99):
        house.now += 10
        await upload.write(offset, b"x")
    upload.close()
    told = house.published("file:progress")
    assert 3 <= len(told) <= 5
    assert all(hint.volatile for _, hint in house.hints)
    assert told[-1]["offset"] > 50


async def test_a_fetch_opens_a_channel_where_the_device_is_in_a_room(house: House) -> None:
    file = await house.send(ANN, CONTENT)
    fetched = await house.filing.files.fetch(BOB, FileFetch(file=file, offset=7))
    assert not fetched.channel
    house.rooms.present_in = {("bob", "lobby")}
    assert (await house.filing.files.fetch(BOB, FileFetch(file=file, offset=7))).channel
    assert house.rooms.sent[-1] == ("bob", file, 7)
    beyond = FileFetch(file=file, offset=len(CONTENT) + 1)
    assert (await refusal(house.filing.files.fetch(BOB, beyond))).code == "bad_request"

"""What lies in the spool: one writer, as much as fits, nothing outside its directory."""

import os
from pathlib import Path

import pytest

from signaling.adapters.spool import Spool
from signaling.errors import Refused
from tests.signaling.files.conftest import House, person

ANN, BOB = person("ann"), person("bob")

ANN, BOB = person("ann"), person("bob")
CONTENT = os.urandom(200_000)


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

"""Whatever the pieces, overlaps and restarts: what is acknowledged is what was sent."""

import asyncio
import hashlib
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from signaling.adapters.spool import Spool
from signaling.errors import Refused
from signaling.services.file_record import File
from signaling.services.landing import Landing, Upload
from signaling.services.landings import Landings


def file_of(content: bytes) -> File:
    return File(
        id="f_1",
        app="app",
        sender="ann",
        client_id="1",
        conversation="c",
        room=None,
        name="n",
        size=len(content),
        type="x/y",
        sha256="",
        created_at=0,
        touched_at=0,
    )


async def landed(file: File, offset: int) -> None:
    """Nobody listens."""


async def whole(landing: Landing) -> File:
    return landing.file


async def begin(landings: Landings, file: File) -> Upload:
    landing = landings.acquire(file)
    upload = Upload(landing, landed, whole, landings.release)
    landing.writer = upload
    return upload


Pieces = st.lists(st.tuples(st.integers(-9, 9), st.integers(1, 40), st.booleans()), max_size=25)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=200), Pieces)
def test_an_upload_in_any_pieces_is_the_file(
    content: bytes, pieces: list[tuple[int, int, bool]]
) -> None:
    """Each piece begins near where the last one ended; some are followed by a restart."""

    async def run(directory: Path) -> None:
        spool = Spool(directory)
        file, landings = file_of(content), Landings(spool)
        upload = await begin(landings, file)
        for shift, length, restart in pieces:
            before = upload.offset
            start = min(max(0, before + shift), len(content))
            data = content[start : start + length]
            try:
                await upload.write(start, data)
            except Refused:
                assert start > before
                assert upload.offset == before
            else:
                assert upload.offset == max(before, start + len(data))
            if restart:
                upload.close()
                landings = Landings(spool)
                upload = await begin(landings, file)
        await upload.write(upload.offset, content[upload.offset :])
        landing = landings.get(file.id)
        assert landing is not None
        assert await landing.spool.read(0, 1000) == content
        assert await landing.spool.digest() == hashlib.sha256(content).hexdigest()
        upload.close()

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(run(Path(directory)))

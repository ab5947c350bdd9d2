"""Pillow: the size, blurhash and thumbnail of a picture, with bounded pixels and time."""

import asyncio
import logging
import os
import struct
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from signaling.adapters import blurhash

log = logging.getLogger(__name__)

FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/avif": "AVIF",
    "image/bmp": "BMP",
}
"""Declared type -> the one decoder that is tried: a file does not choose its own."""
MAX_PIXELS = 40_000_000
MAX_BYTES = 64 * 1024 * 1024
THUMBNAIL_PIXELS = (400, 400)
HASHED_PIXELS = (32, 32)
TIMEOUT_S = 10.0
UNSOUND = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    SyntaxError,
    ArithmeticError,
    LookupError,
    MemoryError,
    struct.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What Pillow's decoders raise on bytes that are not a picture."""


class PillowPictures:
    """Looks at one picture at a time, off the loop."""

    def __init__(self, directory: Path) -> None:
        """Thumbnails are made in `directory`; whoever asked for one removes it with `done`."""
        # passed in
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        # made here
        self._busy = asyncio.Semaphore(1)

    async def look(self, path: str, type_: str) -> tuple[dict[str, Any], str | None] | None:
        """`({width, height, blurhash}, path of a WebP)`; None for what is no sound picture."""
        if type_ not in FORMATS or (await asyncio.to_thread(os.stat, path)).st_size > MAX_BYTES:
            return None
        async with self._busy:
            looking = asyncio.create_task(asyncio.to_thread(self._look, path, FORMATS[type_]))
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    return await asyncio.shield(looking)
            except TimeoutError:
                log.warning("a picture took longer than %s s", TIMEOUT_S)
                return None
            finally:
                if not looking.done():  # a thread cannot be stopped: clear up after it
                    looking.add_done_callback(self._abandoned)

    def done(self, thumbnail: str) -> None:
        """Remove a thumbnail's file."""
        Path(thumbnail).unlink(missing_ok=True)

    def _abandoned(self, looking: "asyncio.Task[tuple[dict[str, Any], str] | None]") -> None:
        seen = None if looking.cancelled() or looking.exception() else looking.result()
        if seen is not None:
            self.done(seen[1])

    def _look(self, path: str, format_: str) -> tuple[dict[str, Any], str] | None:
        try:
            with Image.open(path, formats=(format_,)) as opened:
                return self._seen(opened)
        except UNSOUND as bad:
            log.info("not a sound picture: %s", type(bad).__name__)
            return None

    def _seen(self, opened: Image.Image) -> tuple[dict[str, Any], str] | None:
        if opened.width * opened.height > MAX_PIXELS:
            return None
        full = _turned_size(opened)  # before `draft`, which decodes a JPEG at a fraction of it
        opened.draft("RGB", (THUMBNAIL_PIXELS[0] * 2, THUMBNAIL_PIXELS[1] * 2))
        picture = ImageOps.exif_transpose(opened)
        picture.thumbnail(THUMBNAIL_PIXELS)
        small = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
        image = {"width": full[0], "height": full[1], "blurhash": _hash(small)}
        return image, self._saved(small)

    def _saved(self, picture: Image.Image) -> str:
        descriptor, path = tempfile.mkstemp(suffix=".webp", dir=self._directory)
        try:
            with os.fdopen(descriptor, "wb") as file:
                picture.save(file, "WEBP", quality=80, method=2, exif=b"", icc_profile=None)
        except BaseException:
            Path(path).unlink(missing_ok=True)
            raise
        return path


def _turned_size(opened: Image.Image) -> tuple[int, int]:
    """Width and height as it is shown; EXIF orientations 5 to 8 lie on their side."""
    width, height = opened.size
    turned = opened.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    return (height, width) if turned else (width, height)


def _hash(picture: Image.Image) -> str:
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A") if picture.mode == "RGBA" else None)
    flat.thumbnail(HASHED_PIXELS)
    raw = flat.tobytes()
    pixels = [(raw[i], raw[i + 1], raw[i + 2]) for i in range(0, len(raw), 3)]
    across, down = (4, 3) if flat.width >= flat.height else (3, 4)
    return blurhash.encode(pixels, flat.width, flat.height, across, down)

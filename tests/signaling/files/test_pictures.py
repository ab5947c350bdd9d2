"""Pictures: seen with bounded work; anything else is a file like any other."""

import io
import random
from pathlib import Path

import pytest
from PIL import Image

from signaling.adapters import blurhash
from signaling.adapters.pictures import MAX_PIXELS, PillowPictures
from signaling.protocol.files import FileFetch
from tests.fitting import check_event
from tests.signaling.files.conftest import House, person

ANN, BOB = person("ann"), person("bob")


def picture(format_: str = "PNG", size: tuple[int, int] = (640, 480), **options: object) -> bytes:
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def test_a_blurhash_is_what_others_compute() -> None:
    """Vectors made with an independent implementation."""
    gradient = [(x * 16, y * 20, 128) for y in range(12) for x in range(16)]
    assert blurhash.encode(gradient, 16, 12, 4, 3) == "LsGuUU2@wxozqlR-jte=g0fjfQfj"
    plain = [(200, 100, 50)] * 48
    assert blurhash.encode(plain, 8, 6, 4, 3) == "LVM|T9^4fQ^4}XsofQsofQfQfQfQ"
    with pytest.raises(ValueError):
        blurhash.encode(plain, 8, 7, 4, 3)


@pytest.mark.parametrize(
    ("format_", "type_"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")]
)
async def test_a_picture_gets_a_thumbnail(house: House, format_: str, type_: str) -> None:
    house.make(pictures=PillowPictures(house.directory / "pictures"))
    file = await house.send(ANN, picture(format_), type=type_, name="p")
    message = (await house.events())[0]
    image = message.data["body"]["image"]
    assert (image["width"], image["height"], image["thumbnail"]) == (640, 480, True)
    assert len(image["blurhash"]) == 28
    (ready,) = house.published("file:ready")
    check_event("file:ready", ready)
    assert ready["image"] == image
    fetched = await house.filing.files.fetch(BOB, FileFetch(file=file))
    assert fetched.thumbnail_url is not None
    found = await house.filing.files.readable(BOB, file)
    small = b"".join([chunk async for chunk in house.filing.files.thumbnail(found)])
    shown = Image.open(io.BytesIO(small))
    assert (shown.format, shown.size) == ("WEBP", (400, 300))
    assert not list((house.directory / "pictures").iterdir())


async def test_a_turned_photo_is_seen_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "p").write_bytes(picture("JPEG", exif=exif))
    seen = await PillowPictures(tmp_path / "made").look(str(tmp_path / "p"), "image/jpeg")
    assert seen is not None
    image, thumbnail = seen
    assert (image["width"], image["height"]) == (480, 640)
    assert thumbnail is not None
    with Image.open(thumbnail) as shown:
        assert shown.size == (300, 400)


@pytest.mark.parametrize(
    ("content", "type_"),
    [
        (b"", "image/png"),
        (b"not a picture", "image/png"),
        (picture()[:500], "image/png"),
        (picture("JPEG"), "image/png"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        (picture(size=(MAX_PIXELS // 2000 + 1, 2000), compress_level=1), "image/png"),
    ],
)
async def test_what_is_no_sound_picture_is_not_shown(
    tmp_path: Path, content: bytes, type_: str
) -> None:
    (tmp_path / "p").write_bytes(content)
    assert await PillowPictures(tmp_path / "made").look(str(tmp_path / "p"), type_) is None
    assert not list((tmp_path / "made").iterdir())


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
async def test_damaged_pictures_raise_nothing(tmp_path: Path, format_: str) -> None:
    chance = random.Random(format_)
    sound = picture(format_, (64, 48))
    pictures = PillowPictures(tmp_path / "made")
    for _ in range(60):
        damaged = bytearray(sound[: chance.randrange(1, len(sound) + 1)])
        for _ in range(chance.randrange(6)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        (tmp_path / "p").write_bytes(damaged)
        seen = await pictures.look(str(tmp_path / "p"), f"image/{format_.lower()}")
        if seen is not None and seen[1] is not None:
            pictures.done(seen[1])
    assert not list((tmp_path / "made").iterdir())

"""BlobStore: one suite, on a directory and on servers that speak S3."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from signaling.adapters.blobs import ObjectBlobs, open_blobs
from signaling.errors import Refused
from tests.conftest import required
from tests.s3_server import KEYS, S3Server

CONTENT = os.urandom(1_000_003)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """An emulator; its endpoint."""
    try:
        from moto.server import ThreadedMotoServer
    except ImportError:
        required("moto[server], which speaks S3")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A store that keeps things; its endpoint."""
    server = S3Server(tmp_path_factory.mktemp("seaweedfs"))
    try:
        server.start()
        yield server.endpoint
    finally:
        server.kill()


def bucket(endpoint: str) -> str:
    """One for all tests: they use prefixes of their own."""
    import boto3

    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **KEYS)
    if not client.list_buckets()["Buckets"]:
        client.create_bucket(Bucket="files")
    client.close()
    return "files"


@pytest.fixture(params=["directory", "moto", "seaweedfs"])
async def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ObjectBlobs]:
    if request.param == "directory":
        yield open_blobs("", tmp_path / "blobs")
        return
    endpoint = request.getfixturevalue(request.param)
    place = f"{bucket(endpoint)}/{os.urandom(6).hex()}/here"
    yield open_blobs(f"s3://{place}?region=us-east-1&endpoint={endpoint}", tmp_path, KEYS)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    return path


async def read(blobs: ObjectBlobs, key: str, start: int, end: int) -> bytes:
    return b"".join([chunk async for chunk in blobs.read(key, start, end)])


async def test_what_is_put_can_be_read_whole_and_in_part(blobs: ObjectBlobs, source: Path) -> None:
    await blobs.put_file("app/ab/one", str(source))
    assert await blobs.size("app/ab/one") == len(CONTENT)
    assert await read(blobs, "app/ab/one", 0, len(CONTENT)) == CONTENT
    for start, end in ((0, 1), (999_999, 1_000_003), (524_287, 524_290), (5, 5)):
        assert await read(blobs, "app/ab/one", start, end) == CONTENT[start:end]


async def test_a_put_of_several_parts(blobs: ObjectBlobs, tmp_path: Path) -> None:
    large = tmp_path / "large"
    content = os.urandom(1024) * 20_000
    large.write_bytes(content)
    await blobs.put_file("app/large", str(large))
    assert await blobs.size("app/large") == len(content)
    assert await read(blobs, "app/large", 10_000_000, 10_001_000) == content[10_000_000:10_001_000]


async def test_the_source_may_go_away_or_change(blobs: ObjectBlobs, source: Path) -> None:
    await blobs.put_file("app/one", str(source))
    source.unlink()  # noqa: ASYNC240
    source.write_bytes(b"something else")  # noqa: ASYNC240
    await blobs.put_file("app/one", str(source))
    await blobs.put_file("app/two", str(source))
    assert await read(blobs, "app/one", 0, 100) == b"something else"


async def test_putting_the_same_again_changes_nothing(blobs: ObjectBlobs, source: Path) -> None:
    await blobs.put_file("app/one", str(source))
    await blobs.put_file("app/one", str(source))
    assert await read(blobs, "app/one", 0, len(CONTENT)) == CONTENT
    assert [key async for key in blobs.keys(2**42)] == ["app/one"]


async def test_an_empty_blob(blobs: ObjectBlobs, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    await blobs.put_file("app/empty", str(tmp_path / "empty"))
    assert await blobs.size("app/empty") == 0
    assert await read(blobs, "app/empty", 0, 0) == b""


async def test_what_is_not_there(blobs: ObjectBlobs) -> None:
    assert await blobs.size("app/none") is None
    for end in (0, 9):
        with pytest.raises(Refused) as caught:
            await read(blobs, "app/none", 0, end)
        assert caught.value.code == "not_found"
    await blobs.delete("app/none")


async def test_what_is_deleted_is_gone(blobs: ObjectBlobs, source: Path) -> None:
    await blobs.put_file("app/one", str(source))
    await blobs.put_file("app/two", str(source))
    await blobs.delete("app/one")
    assert await blobs.size("app/one") is None
    assert await read(blobs, "app/two", 0, 9) == CONTENT[:9]


async def test_keys_are_listed_by_age(blobs: ObjectBlobs, source: Path) -> None:
    await blobs.put_file("app/one", str(source))
    await blobs.put_file("other/two", str(source))
    assert sorted([key async for key in blobs.keys(2**42)]) == ["app/one", "other/two"]
    assert [key async for key in blobs.keys(2**42, "other")] == ["other/two"]
    assert [key async for key in blobs.keys(2**42, "oth")] == []
    assert [key async for key in blobs.keys(0)] == []


async def test_a_store_that_is_away_is_unavailable(tmp_path: Path, source: Path) -> None:
    url = "s3://nowhere?region=us-east-1&endpoint=http://127.0.0.1:9"
    away = open_blobs(url, tmp_path, KEYS, retry_s=0.2)
    with pytest.raises(Refused) as caught:
        await away.size("app/one")
    assert (caught.value.code, caught.value.retryable) == ("unavailable", True)
    with pytest.raises(Refused):
        await away.put_file("app/one", str(source))


def test_a_url_that_names_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        open_blobs("gopher://x", tmp_path)

"""Files over HTTP: PUT in pieces, GET by range, signed links, and headers that keep it safe."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import ClientPayloadError, ClientResponse, ClientSession, web

from signaling.config import HttpSettings
from signaling.errors import Refused
from signaling.http.files import FileRoutes, disposition
from signaling.http.server import Server
from signaling.metrics import Metrics
from signaling.model import Identity
from signaling.protocol.files import FileFetch
from tests.signaling.files.conftest import NOON, House, person

CONTENT = os.urandom(1_000_000)
ANN, BOB, EVE = person("ann"), person("bob"), person("eve")
Ask = Callable[..., Awaitable[ClientResponse]]


async def identify(request: web.Request) -> Identity:
    user = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not user:
        raise Refused("unauthorized", "send a token")
    return person(user)


@pytest.fixture
async def client(house: House) -> AsyncIterator[ClientSession]:
    server = Server(HttpSettings(port=0), Metrics())
    server.add(FileRoutes(house.filing.files, identify).routes())
    await server.start()
    async with ClientSession(f"http://127.0.0.1:{server.port}") as session:
        yield session
    await server.close()


def of(who: Identity, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {who.user}", **headers}


def piece(start: int, end: int, size: int = len(CONTENT)) -> dict[str, str]:
    return of(ANN, **{"Content-Range": f"bytes {start}-{end - 1}/{size}"})


async def test_one_put_and_one_get(house: House, client: ClientSession) -> None:
    offered = await house.offer(ANN, CONTENT, name="a b.bin")
    put = await client.put(offered.upload_url, data=CONTENT, headers=of(ANN))
    assert put.status == 201
    body = await put.json()
    assert (body["file"], body["seq"]) == (offered.file, 1)
    got = await client.get(offered.upload_url, headers=of(BOB))
    assert await got.read() == CONTENT
    assert got.headers["ETag"] == f'"{body["sha256"]}"'
    assert "immutable" in got.headers["Cache-Control"]
    assert got.headers["Content-Length"] == str(len(CONTENT))


async def test_a_put_in_pieces_tells_how_far_it_is(house: House, client: ClientSession) -> None:
    url = (await house.offer(ANN, CONTENT)).upload_url
    ask = await client.put(url, headers=of(ANN, **{"Content-Range": f"bytes */{len(CONTENT)}"}))
    assert (ask.status, ask.headers["Upload-Offset"], "Range" in ask.headers) == (308, "0", False)
    first = await client.put(url, data=CONTENT[:700_000], headers=piece(0, 700_000))
    assert (first.status, first.headers["Range"]) == (308, "bytes=0-699999")
    gap = await client.put(url, data=CONTENT[900_000:], headers=piece(900_000, len(CONTENT)))
    assert (gap.status, gap.headers["Upload-Offset"]) == (409, "700000")
    last = await client.put(url, data=CONTENT[600_000:], headers=piece(600_000, len(CONTENT)))
    assert last.status == 201
    again = await client.put(url, data=CONTENT[600_000:], headers=piece(600_000, len(CONTENT)))
    assert again.status == 201
    assert await (await client.get(url, headers=of(BOB))).read() == CONTENT


async def test_what_arrived_before_a_cut_is_kept(house: House, client: ClientSession) -> None:
    offered = await house.offer(ANN, CONTENT)
    sent = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield CONTENT[:600_000]
        sent.set()
        await asyncio.Event().wait()

    cut = asyncio.ensure_future(client.put(offered.upload_url, data=body(), headers=of(ANN)))
    await sent.wait()
    file = await house.filing.files.readable(BOB, offered.file)
    landed = await house.filing.files.open(file, 0, 512 * 1024)
    while await landed.read(512 * 1024):
        pass
    await landed.close()
    cut.cancel()
    await asyncio.gather(cut, return_exceptions=True)
    offset = (await house.offer(ANN, CONTENT)).offset
    assert 512 * 1024 <= offset <= 600_000
    rest = piece(offset, len(CONTENT))
    put = await client.put(offered.upload_url, data=CONTENT[offset:], headers=rest)
    assert put.status == 201


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("bytes 0-9/11", 400),
        ("bytes 9-3/1000000", 400),
        ("bytes 0-1000000/1000000", 400),
        ("bytes 0-8/1000000", 400),
        ("bytes a-b/c", 400),
        ("items 0-9/1000000", 400),
    ],
)
async def test_a_content_range_that_lies_is_refused(
    house: House, client: ClientSession, header: str, status: int
) -> None:
    url = (await house.offer(ANN, CONTENT)).upload_url
    headers = of(ANN, **{"Content-Range": header})
    put = await client.put(url, data=b"0123456789", headers=headers)
    assert put.status == status
    assert put.content_type == "application/problem+json"


async def test_a_body_longer_than_its_range_lands_nothing_beyond_it(
    house: House, client: ClientSession
) -> None:
    offered = await house.offer(ANN, CONTENT)

    async def body() -> AsyncIterator[bytes]:
        yield CONTENT[:100]

    put = await client.put(offered.upload_url, data=body(), headers=piece(0, 10))
    assert put.status == 400
    assert (await house.offer(ANN, CONTENT)).offset <= 10


async def test_wrong_bytes_and_other_peoples_files(house: House, client: ClientSession) -> None:
    url = (await house.offer(ANN, CONTENT)).upload_url
    assert (await client.put(url, data=CONTENT)).status == 401
    assert (await client.put(url, data=CONTENT, headers=of(EVE))).status == 404
    assert (await client.put(url, data=CONTENT, headers=of(BOB))).status == 403
    wrong = await client.put(url, data=bytes(len(CONTENT)), headers=of(ANN))
    assert (wrong.status, (await wrong.json())["code"]) == (400, "bad_request")
    assert (await client.put("/v1/files/..%2fx", data=b"", headers=of(ANN))).status == 404
    assert (await client.get(url, headers=of(EVE))).status == 404


async def get(client: ClientSession, url: str, **headers: str) -> ClientResponse:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    response = await client.get(url, headers=of(BOB, **names))
    await response.read()
    return response


async def test_ranges(house: House, client: ClientSession) -> None:
    content = CONTENT[:1000]
    url = f"/v1/files/{await house.send(ANN, content)}"
    for header, start, end in [
        ("bytes=0-9", 0, 10),
        ("bytes=990-", 990, 1000),
        ("bytes=-5", 995, 1000),
        ("bytes=-5000", 0, 1000),
        ("bytes=10-99999", 10, 1000),
    ]:
        response = await get(client, url, Range=header)
        assert response.status == 206
        assert response.headers["Content-Range"] == f"bytes {start}-{end - 1}/1000"
        assert await response.read() == content[start:end]
    for header in ("bytes=1000-", "bytes=-0"):
        response = await get(client, url, Range=header)
        assert (response.status, response.headers["Content-Range"]) == (416, "bytes */1000")
    for header in ("bytes=9-3", "lines=1-2", "bytes=-", "bytes=0-1,4-5", "bytes=٣-٤"):
        response = await get(client, url, Range=header)
        assert (response.status, await response.read()) == (200, content)


async def test_conditions(house: House, client: ClientSession) -> None:
    url = f"/v1/files/{await house.send(ANN, CONTENT)}"
    etag = (await get(client, url)).headers["ETag"]
    for tag in (etag, f"W/{etag}", "*", f'"x", {etag}'):
        response = await get(client, url, If_None_Match=tag)
        assert (response.status, response.headers["ETag"]) == (304, etag)
    assert (await get(client, url, If_None_Match='"other"')).status == 200
    assert (await get(client, url, If_Range=etag, Range="bytes=0-1")).status == 206
    assert (await get(client, url, If_Range='"x"', Range="bytes=0-1")).status == 200
    head = await client.head(url, headers=of(BOB))
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(CONTENT)))


async def test_a_get_follows_the_upload(house: House, client: ClientSession) -> None:
    offered = await house.offer(ANN, CONTENT)
    upload = await house.filing.files.begin(ANN, offered.file)
    await upload.write(0, CONTENT[:500_000])
    response = await client.get(offered.upload_url, headers=of(BOB))
    assert response.headers["Cache-Control"] == "no-store"
    assert await response.content.readexactly(500_000) == CONTENT[:500_000]
    await upload.write(500_000, CONTENT[500_000:])
    assert await response.content.readexactly(499_999) == CONTENT[500_000:-1]
    await upload.finish()
    upload.close()
    assert await response.read() == CONTENT[-1:]


async def test_a_get_of_bytes_that_turn_out_wrong_never_completes(
    house: House, client: ClientSession
) -> None:
    offered = await house.offer(ANN, CONTENT)
    upload = await house.filing.files.begin(ANN, offered.file)
    await upload.write(0, bytes(len(CONTENT)))
    response = await client.get(offered.upload_url, headers=of(BOB))
    await response.content.readexactly(len(CONTENT) - 1)
    with pytest.raises(Refused):
        await upload.finish()
    with pytest.raises(ClientPayloadError):
        await response.read()
    upload.close()


async def test_signed_links_need_no_header_until_they_expire(
    house: House, client: ClientSession
) -> None:
    file = await house.send(ANN, CONTENT)
    link = (await house.filing.files.fetch(BOB, FileFetch(file=file))).download_url
    assert await (await client.get(link)).read() == CONTENT
    for forged in (link[:-1] + "-", link.replace("exp=1", "exp=2"), link.replace("sig=", "sig=é")):
        assert (await client.get(forged)).status == 403
    other = await house.send(ANN, CONTENT[1:], "two")
    assert (await client.get(link.replace(file, other))).status == 403
    house.now += 16 * 60 * 1000
    assert (await client.get(link)).status == 403


async def test_what_a_link_leads_to_may_be_kept_until_it_expires(
    house: House, client: ClientSession
) -> None:
    file = await house.send(ANN, CONTENT)
    link = (await house.filing.files.fetch(BOB, FileFetch(file=file))).download_url
    for gone_ms, left_s in ((0, 900), (899_500, 0)):
        house.now = NOON + gone_ms
        for headers in ({}, {"Range": "bytes=0-9"}, {"If-None-Match": "*"}):
            got = await client.get(link, headers=headers)
            await got.read()
            assert got.headers["Cache-Control"] == f"public, max-age={left_s}, immutable"
            assert got.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
            assert "Vary" not in got.headers
    own = (await get(client, f"/v1/files/{file}")).headers
    assert own["Cache-Control"].startswith("private")
    assert own["Cross-Origin-Resource-Policy"] == "same-origin"
    assert own["Vary"] == "Authorization"


async def test_what_is_still_landing_is_kept_by_nobody(house: House, client: ClientSession) -> None:
    offered = await house.offer(ANN, CONTENT)
    upload = await house.filing.files.begin(ANN, offered.file)
    link = (await house.filing.files.fetch(BOB, FileFetch(file=offered.file))).download_url
    got = await client.head(link)
    await got.read()
    assert got.headers["Cache-Control"] == "no-store"
    upload.close()


@pytest.mark.parametrize(
    ("declared", "served", "kind"),
    [
        ("image/png", "image/png", "inline"),
        ("IMAGE/PNG; x=y", "image/png", "inline"),
        ("video/mp4", "video/mp4", "inline"),
        ("image/svg+xml", "application/octet-stream", "attachment"),
        ("text/html", "application/octet-stream", "attachment"),
        ("application/pdf", "application/octet-stream", "attachment"),
        ("text/html\r\nX: y", "application/octet-stream", "attachment"),
        ("", "application/octet-stream", "attachment"),
    ],
)
async def test_only_safe_types_are_shown(
    house: House, client: ClientSession, declared: str, served: str, kind: str
) -> None:
    url = f"/v1/files/{await house.send(ANN, CONTENT, type=declared, name='ж.bin')}"
    headers = (await get(client, url)).headers
    assert headers["Content-Type"] == served
    assert headers["Content-Disposition"].startswith(f"{kind}; filename=")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox")
    attached = (await get(client, f"{url}?download=1")).headers["Content-Disposition"]
    assert attached == "attachment; filename=\"_.bin\"; filename*=UTF-8''%D0%B6.bin"


def test_a_name_cannot_leave_its_quotes() -> None:
    assert disposition('a"; x=\\b%\r\n', attach=False) == (
        "inline; filename=\"a_; x=_b___\"; filename*=UTF-8''a%22%3B%20x%3D%5Cb%25%0D%0A"
    )

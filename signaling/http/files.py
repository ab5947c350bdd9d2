"""PUT, GET and HEAD of files: resumable by Content-Range, readable by Range."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import msgspec
from aiohttp import web

from signaling.errors import Refused
from signaling.http.ranges import Piece, Span, Unsatisfiable, carried, none_match, wanted
from signaling.model import Identity
from signaling.protocol.rest_files import UploadedFile
from signaling.services.file_record import File
from signaling.services.file_rules import OCTETS, served_type
from signaling.services.files import Files, thumbnail_path_of
from signaling.services.landing import Upload

PIECE_BYTES = 512 * 1024
"""Bytes gathered before they go to the spool, or read before they go to the socket."""
STALL_TIMEOUT_S = 60.0
"""A client that neither sends nor takes a byte for this long is cut; it may resume."""
IMMUTABLE = "private, max-age=31536000, immutable"
"""For who showed a token: the bytes never change, the right to see them is theirs alone."""
SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"

Identify = Callable[[web.Request], Awaitable[Identity]]


class FileRoutes:
    """The same bytes as over data channels, for everyone else."""

    def __init__(self, files: Files, identify: Identify) -> None:
        # passed in
        self._files = files
        self._identify = identify

    def routes(self) -> list[web.RouteDef]:
        """Mounted by the HTTP server; Refused becomes a problem there."""
        path = "/v1/files/{file:[A-Za-z0-9_-]{1,64}}"
        return [
            web.put(path, self.put),
            web.get(path, self.get),
            web.get(f"{path}/thumbnail", self.thumbnail),
        ]

    async def put(self, request: web.Request) -> web.Response:
        """One piece, or all of it. 201 when complete, 308 with `Range` when not, 409 for a gap."""
        who, file_id = await self._identify(request), request.match_info["file"]
        file, offset = await self._files.status(who, file_id)
        piece = _piece(request, file)
        if file.state in ("ready", "storing"):
            return _complete(file)  # the answer to the last piece was lost
        if piece.start is None:
            return _incomplete(offset)
        if piece.start > offset:
            return _gap(offset)
        upload = await self._files.begin(who, file_id)
        try:
            await _receive(request, piece, upload)
            if upload.offset < upload.size:
                return _incomplete(upload.offset)
            return _complete(await upload.finish())
        finally:
            upload.close()

    async def get(self, request: web.Request) -> web.StreamResponse:
        """All of it or a Range; HEAD too. While it is uploading the bytes come as they land."""
        file = await self._readable(request)
        etag = f'"{file.sha256}"'
        headers = {
            **_headers(file, etag, attach="download" in request.query),
            **self._sharing(request, file),
        }
        if none_match(request.headers.get("If-None-Match"), etag):
            return web.Response(status=304, headers=headers)
        try:
            span = _span(request, file, etag)
        except Unsatisfiable:
            problem = {"Content-Range": f"bytes */{file.size}"}
            return web.Response(status=416, headers=problem)
        response = web.StreamResponse(headers=headers)
        response.content_length = file.size
        if span is not None:
            response.set_status(206)
            response.headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{file.size}"
            response.content_length = span.end - span.start
        if request.method == "HEAD":
            await response.prepare(request)
            return response
        return await self._send(request, response, file, span or Span(0, file.size))

    async def thumbnail(self, request: web.Request) -> web.StreamResponse:
        """A small WebP of a picture."""
        path = thumbnail_path_of(request.match_info["file"])
        file = await self._readable(request, path)
        etag = f'"{file.sha256}-thumbnail"'
        headers = {
            "ETag": etag,
            **self._sharing(request, file),
            "Content-Type": "image/webp",
            "Content-Security-Policy": SANDBOX,
            "X-Content-Type-Options": "nosniff",
        }
        chunks = self._files.thumbnail(file)
        if none_match(request.headers.get("If-None-Match"), etag):
            return web.Response(status=304, headers=headers)
        body = b"".join([chunk async for chunk in chunks])
        return web.Response(body=body, headers=headers)

    def _sharing(self, request: web.Request, file: File) -> dict[str, str]:
        """Who may keep the answer, and whose pages may show it. A signed link is for whoever has
        it, so any cache on the way may keep what it leads to, under the whole link, as long as it
        is good; and pages of other origins may show it."""
        if "sig" in request.query:
            left_s = max(0, self._files.left_ms(request.query["exp"]) // 1000)
            shared = {"Cross-Origin-Resource-Policy": "cross-origin"}
            kept = f"public, max-age={left_s}, immutable"
        else:
            shared = {"Cross-Origin-Resource-Policy": "same-origin", "Vary": "Authorization"}
            kept = IMMUTABLE
        return {**shared, "Cache-Control": kept if file.state == "ready" else "no-store"}

    async def _readable(self, request: web.Request, path: str | None = None) -> File:
        file_id, query = request.match_info["file"], request.query
        if "sig" in query:
            exp, sig = query.get("exp", ""), query["sig"]
            return await self._files.linked(file_id, path or request.path, exp, sig)
        file = await self._files.readable(await self._identify(request), file_id)
        if file.state in ("cancelled", "failed"):
            raise Refused("not_found", f"the upload {file.state}")
        return file

    async def _send(
        self, request: web.Request, response: web.StreamResponse, file: File, span: Span
    ) -> web.StreamResponse:
        download = await self._files.open(file, span.start, span.end)
        try:
            data = await download.read(PIECE_BYTES)  # what is refused is refused before the headers
            await response.prepare(request)
            while data:
                async with asyncio.timeout(STALL_TIMEOUT_S):
                    await response.write(data)
                data = await download.read(PIECE_BYTES)
        except (Refused, TimeoutError):
            if response.prepared and request.transport is not None:
                # Too late for a status: a short body tells the client that this is not all.
                request.transport.abort()
                return response
            raise
        finally:
            await download.close()
        await response.write_eof()
        return response


async def _receive(request: web.Request, piece: Piece, upload: Upload) -> None:
    """Land the body as it comes, so that what arrived before a cut is kept."""
    assert piece.start is not None
    offset, gathered = piece.start, bytearray()
    try:
        while chunk := await _next(request):
            gathered += chunk
            if offset + len(gathered) > piece.end:
                raise Refused("bad_request", "the body is longer than its Content-Range")
            if len(gathered) >= PIECE_BYTES:
                await upload.write(offset, bytes(gathered))
                offset += len(gathered)
                gathered.clear()
    finally:
        if gathered and offset + len(gathered) <= piece.end:
            await upload.write(offset, bytes(gathered))
    if offset + len(gathered) < piece.end:
        raise Refused("bad_request", "the body is shorter than its Content-Range")


async def _next(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(STALL_TIMEOUT_S):
            return await request.content.readany()
    except TimeoutError:
        raise Refused("timeout", "the body has stalled; resume later") from None


def _piece(request: web.Request, file: File) -> Piece:
    header = request.headers.get("Content-Range")
    try:
        piece = carried(header) if header is not None else Piece(0, file.size, file.size)
    except ValueError as error:
        raise Refused("bad_request", str(error)) from error
    if piece.size != file.size:
        raise Refused("bad_request", f"the file was offered with {file.size} bytes")
    length = request.content_length
    if piece.start is not None and length not in (None, piece.end - piece.start):
        raise Refused("bad_request", "Content-Length and Content-Range differ")
    return piece


def _span(request: web.Request, file: File, etag: str) -> Span | None:
    if request.headers.get("If-Range", etag) != etag:
        return None
    return wanted(request.headers.get("Range"), file.size)


def _complete(file: File) -> web.Response:
    body = {**file.to_body(), "conversation": file.conversation, "seq": file.seq}
    return web.Response(
        body=msgspec.json.encode(msgspec.convert(body, UploadedFile)),
        status=201,
        content_type="application/json",
        headers={"ETag": f'"{file.sha256}"'},
    )


def _incomplete(offset: int) -> web.Response:
    """308 with how far it is, as resumable uploads of cloud stores answer."""
    return web.Response(status=308, headers=_landed(offset))


def _gap(offset: int) -> web.Response:
    return web.json_response(
        {"code": "conflict", "message": f"bytes from {offset} on are missing", "offset": offset},
        status=409,
        headers=_landed(offset),
    )


def _landed(offset: int) -> dict[str, str]:
    landed = {"Upload-Offset": str(offset)}
    return {**landed, "Range": f"bytes=0-{offset - 1}"} if offset else landed


def _headers(file: File, etag: str, *, attach: bool) -> dict[str, str]:
    content_type = served_type(file.type)
    attach = attach or content_type == OCTETS
    return {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Content-Type": content_type,
        "Content-Disposition": disposition(file.name, attach=attach),
        "Content-Security-Policy": SANDBOX,
        "X-Content-Type-Options": "nosniff",
    }


def disposition(name: str, *, attach: bool) -> str:
    """Content-Disposition with the name in ASCII and, by RFC 8187, as it is (RFC 6266)."""
    plain = "".join(c if " " <= c <= "~" and c not in '"\\%' else "_" for c in name)
    kind = "attachment" if attach else "inline"
    encoded = quote(name, safe="!#$&+-.^_`|~")
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"

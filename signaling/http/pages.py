"""The demo's files: from the package when installed, from static/ in a checkout."""

from pathlib import Path

from aiohttp import web

PACKAGED = Path(__file__).parents[1] / "_static"
CHECKOUT = Path(__file__).parents[2] / "static"

TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mp3": "audio/mpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""What may be served, whatever the machine's own table of types says."""


def root() -> Path:
    """The folder with index.html."""
    return PACKAGED if PACKAGED.is_dir() else CHECKOUT


class Pages:
    """Answers GET for the files below one folder, with ETag and revalidation (RFC 9110, 13.1)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def routes(self) -> list[web.RouteDef]:
        """The last routes of the table: they take every path that is left."""
        return [web.get("/console", self.console), web.get("/{path:.*}", self.get)]

    async def console(self, request: web.Request) -> web.StreamResponse:
        """Its files are named from inside its folder."""
        raise web.HTTPFound("/console/")

    async def get(self, request: web.Request) -> web.StreamResponse:
        """One file; 404 for anything outside the folder, hidden, or of an unknown type."""
        path = self._file(request.match_info["path"])
        if path is None:
            raise web.HTTPNotFound
        response = web.FileResponse(path, headers={"Cache-Control": "no-cache"})
        response.content_type = TYPES[path.suffix]
        if response.content_type.startswith("text/"):
            response.charset = "utf-8"
        return response

    def _file(self, name: str) -> Path | None:
        if "\0" in name or any(part.startswith(".") for part in name.split("/")):
            return None
        if not name or name.endswith("/"):
            name += "index.html"
        path = (self._folder / name).resolve()
        inside = path.is_relative_to(self._folder)
        return path if inside and path.suffix in TYPES and path.is_file() else None

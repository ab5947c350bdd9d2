"""The demo's files, and nothing beside them."""

from pathlib import Path

import pytest
from aiohttp import ClientSession
from yarl import URL

from signaling.http.pages import Pages, root
from tests.signaling.http.conftest import Serving


@pytest.fixture
async def client(serving: Serving, tmp_path: Path) -> ClientSession:
    folder = tmp_path / "static"
    (folder / "js").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>你好")
    (folder / "js" / "main.js").write_text("export {}")
    (folder / ".hidden.js").write_text("secret")
    (folder / "tool.py").write_text("secret")
    (tmp_path / "outside.js").write_text("secret")
    (folder / "link.js").symlink_to(tmp_path / "outside.js")
    return await serving(Pages(folder).routes())


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/js/main.js", "text/javascript; charset=utf-8"),
    ],
)
async def test_files_go_out_with_type_and_etag(
    client: ClientSession, path: str, content_type: str
) -> None:
    async with client.get(path) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == content_type
        assert response.headers["Cache-Control"] == "no-cache"
        etag = response.headers["ETag"]
    async with client.get(path, headers={"If-None-Match": etag}) as response:
        assert response.status == 304


@pytest.mark.parametrize(
    "path",
    [
        "/js",
        "/js/none.js",
        "/../outside.js",
        "/js/..%2f..%2foutside.js",
        "/%2e%2e/outside.js",
        "//etc/passwd",
        "/.hidden.js",
        "/tool.py",
        "/link.js",
        "/js/main.js%00.html",
    ],
)
async def test_nothing_else_does(client: ClientSession, path: str) -> None:
    base = client._base_url
    assert base is not None
    async with client.get(URL(f"{base.origin()}{path}", encoded=True)) as response:
        assert response.status == 404
        assert "secret" not in await response.text()


async def test_a_checkout_has_pages() -> None:
    assert root().is_dir()

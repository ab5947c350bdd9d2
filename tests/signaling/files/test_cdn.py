"""Signed links on another host: a CDN that asks this server for what it does not have."""

import hashlib
from urllib.parse import urlsplit

from aiohttp import ClientSession

from tests.conftest import MakeProcess
from tests.signaling.http.callers import server_of, user_of

CONTENT = b"kept at the edge"


async def test_links_are_on_the_cdn_and_good_here(make_process: MakeProcess) -> None:
    process = await make_process(**{"storage.files_url": "https://cdn.example.com/tea/"})
    async with ClientSession(process.url) as client:
        ann = await user_of(client, await server_of(process, client, "acme"), "ann")
        _, made = await ann("POST", "/v1/conversations", {"type": "group", "client_id": "1"})
        offer = {
            "client_id": "2",
            "name": "tea.txt",
            "size": len(CONTENT),
            "sha256": hashlib.sha256(CONTENT).hexdigest(),
            "conversation": made["conversation"]["id"],
        }
        _, offered = await ann("POST", "/v1/files", offer)
        assert offered["upload_url"].startswith("/v1/files/")  # uploads come here
        async with client.put(offered["upload_url"], data=CONTENT, headers=ann._headers) as answer:
            assert answer.status == 201
        _, fetched = await ann("POST", f"/v1/files/{offered['file']}/fetch", {})
        link = fetched["download_url"]
        assert link.startswith("https://cdn.example.com/tea/v1/files/")
        parts = urlsplit(link)
        path = parts.path.removeprefix("/tea")
        async with client.get(f"{path}?{parts.query}") as answer:
            assert (answer.status, await answer.read()) == (200, CONTENT)
            assert answer.headers["Cache-Control"].startswith("public, max-age=")
        async with client.get(f"{path}?{parts.query}x") as answer:
            assert answer.status == 403
        async with client.get(path) as answer:
            assert answer.status == 401

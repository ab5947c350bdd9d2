"""An App's own allow-list of pages, inside the server's."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from signaling.auth.origins import check_origins
from signaling.errors import Refused
from tests.conftest import MakeProcess
from tests.signaling.gateway.peers import text
from tests.wire_client import demo_token

PAGE = "https://shop.example"


async def connected(url: str, token: str, origin: str | None) -> dict[str, Any]:
    """What CONNECT from a page is answered with: the sid, or the refusal's data."""
    headers = {} if origin is None else {"Origin": origin}
    address = f"{url}/socket.io/?EIO=4&transport=websocket"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(address, headers=headers) as ws,
    ):
        await text(ws)
        await ws.send_str("40" + json.dumps({"token": token}))
        answer = json.loads((await text(ws))[2:])
        return dict(answer.get("data", answer))


async def test_an_app_narrows_the_pages_that_may_connect(make_process: MakeProcess) -> None:
    process = await make_process(**{"gateway.origins": ("*",)})
    token = await asyncio.to_thread(demo_token, process.url, "ann")
    assert "sid" in await connected(process.url, token, "https://any.example")
    (app,) = await process.registry.apps()
    await process.registry.update_app(app.id, {"origins": [PAGE, "https://*.shop.example"]})
    for origin in (PAGE, "https://de.shop.example", None):
        assert "sid" in await connected(process.url, token, origin)
    for origin in ("https://any.example", "http://shop.example", "null"):
        assert (await connected(process.url, token, origin))["code"] == "forbidden"
    await process.registry.update_app(app.id, {"origins": []})
    assert (await connected(process.url, token, PAGE))["code"] == "forbidden"
    await process.registry.update_app(app.id, {"origins": None})
    assert "sid" in await connected(process.url, token, "https://any.example")


@pytest.mark.parametrize(
    "origins", ["*", {}, [1], [""], ["shop.example"], ["https://shop.example/"], ["x"] * 101]
)
def test_what_no_origin_could_match_is_refused(origins: object) -> None:
    with pytest.raises(Refused) as refused:
        check_origins(origins)
    assert refused.value.code == "bad_request"


def test_origins_with_ports_and_patterns_are_taken() -> None:
    check_origins(["*", "https://*.shop.example", "http://localhost:8080"])

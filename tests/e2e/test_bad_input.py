"""Any bytes, on every way in, at a whole server: an error with a code or a counted drop. Somebody
who behaves is served all the while, nothing acked is lost, and no traceback is written."""

import asyncio
import base64
import contextlib
import json
import os
import socket
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import jwt
import pytest

from tests.e2e.server import Server
from tests.ports import free_port
from tests.wire_client import RequestRefused, WireClient, demo_token

pytestmark = pytest.mark.timeout(300)

WAIT_S = 60
DEPTH = 100_000
DEEP = "[" * DEPTH + "]" * DEPTH
SECRET = "a-secret-of-somebody-else-entirely-0123456789"


@pytest.fixture(scope="module")
def media_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, media_port: int) -> Iterator[Server]:
    one = Server(tmp_path_factory.mktemp("bad"), TOKENIM_MEDIA_PORT=str(media_port))
    one.start()
    yield one
    one.stop()


class Witness:
    """Somebody who chats while others misbehave."""

    def __init__(self, client: WireClient, hall: str) -> None:
        self.client = client
        self.hall = hall
        self._said = 0

    async def is_well(self) -> None:
        """A message is acked and comes back in order; nothing has been complained about."""
        self._said += 1
        ack = await self.client.request(
            "message:send",
            conversation=self.hall,
            type="text",
            client_id=f"{self.hall}-{self._said}",
            body={"text": "still here"},
        )
        await self.client.until("message:created", seq=ack["seq"])
        assert not self.client.disconnected.is_set()


@pytest.fixture
async def witness(server: Server) -> AsyncIterator[Witness]:
    client = await WireClient(server.url, "witness", device=f"w{os.getpid()}").connect()
    joined = await client.request(
        "conversation:join", alias=f"hall-{uuid.uuid4().hex}", create=True
    )
    seen = Witness(client, joined["conversation"]["id"])
    await seen.is_well()
    yield seen
    await seen.is_well()
    await client.close()
    assert "Traceback" not in server.output


async def frames(server: Server, *sent: str | bytes, token: str | None = None) -> list[str]:
    """What a websocket answers until it is closed or has answered the last frame."""
    where = f"{server.url}/socket.io/?EIO=4&transport=websocket"
    token = token or await asyncio.to_thread(demo_token, server.url, "mallory")
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(where) as websocket,
        asyncio.timeout(WAIT_S),
    ):
        heard = [await websocket.receive_str()]
        with contextlib.suppress(aiohttp.ClientConnectionError):  # it may be closed by now
            await websocket.send_str("40" + json.dumps({"token": token}))
            for frame in sent:
                if isinstance(frame, str):
                    await websocket.send_str(frame)
                else:
                    await websocket.send_bytes(frame)
            await websocket.send_str('4299["conversation:list",{}]')
        async for message in websocket:
            heard.append(str(message.data))
            if heard[-1].startswith(("4399", "44")):
                break
    return heard


@pytest.mark.parametrize(
    "frame",
    [
        '421["message:send",' + "x" * 2_000_000,
        f'421["message:send",{DEEP}]',
        f'421["message:send",{{"body":{DEEP}}}]',
        '421["message:send",{"body":NaN}]',
        '421["message:send",{"n":1e400}]',
        '42["connect",{},{}]',
        '42["disconnect"]',
        '421["message:send",{"body":"\ud800"}]'.encode("utf-16-le", "surrogatepass"),
        '4599-["x",{"_placeholder":true,"num":0}]',
        "4",
        "9",
        "42",
        b"\x00\xff\xfe",
    ],
    ids=lambda frame: str(frame[:24]),
)
async def test_a_frame_ends_at_most_its_own_socket(
    server: Server, witness: Witness, frame: str | bytes
) -> None:
    heard = await frames(server, frame)
    assert heard[0].startswith("0{")
    await witness.is_well()


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"conversation": "nowhere"}, "bad_request"),
        (
            {"type": "text", "body": {"text": "x"}, "client_id": "a", "conversation": 7},
            "bad_request",
        ),
        ({"type": "text", "body": {"text": "x" * 40_000}, "client_id": "a"}, "too_large"),
        ({"type": "text", "body": {"text": ""}, "client_id": "a"}, "bad_request"),
    ],
)
async def test_a_payload_gets_a_code(
    server: Server, witness: Witness, payload: dict[str, Any], code: str
) -> None:
    with pytest.raises(RequestRefused) as refused:
        await witness.client.request("message:send", **{"conversation": witness.hall, **payload})
    assert refused.value.code == code


def unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    text = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts]
    return ".".join([*text, ""])


def tokens(server: Server) -> dict[str, str]:
    """Made from a good one, so that only the fault is wrong."""
    good = demo_token(server.url, "mallory")
    claims = jwt.decode(good, options={"verify_signature": False})
    body = good.split(".")[1]
    return {
        "empty": "",
        "junk": "x.y.z",
        "long": "x" * 500_000,
        "none": unsigned(claims),
        "none, good body": f"{unsigned({}).split('.')[0]}.{body}.",
        "foreign": jwt.encode(claims, SECRET, "HS256"),
        "expired": jwt.encode({**claims, "exp": time.time() - 60}, SECRET, "HS256"),
        "no such key": jwt.encode({**claims, "iss": "k_nobody"}, SECRET, "HS256"),
        "cut off": good[:-4],
    }


async def test_a_token_is_refused_with_a_code(server: Server, witness: Witness) -> None:
    for name, token in (await asyncio.to_thread(tokens, server)).items():
        (_, refused, *_rest) = await frames(server, token=token or " ")
        assert refused.startswith("44"), name
        assert json.loads(refused[2:])["data"]["code"] in ("unauthorized", "bad_request"), name
        async with (
            aiohttp.ClientSession() as session,
            session.get(
                f"{server.url}/v1/conversations",
                headers={"Authorization": f"Bearer {token[:8000]}"},
            ) as answer,
        ):
            assert answer.status == 401, name
            assert (await answer.json())["code"] == "unauthorized", name


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", DEEP.encode(), b'{"name":' + b"9" * 50_000 + b"}"],
    ids=lambda body: str(body[:12]),
)
async def test_a_body_gets_a_problem(server: Server, witness: Witness, body: bytes) -> None:
    headers = {
        "Authorization": f"Bearer {witness.client.token}",
        "Content-Type": "application/json",
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.url}/v1/conversations", data=body, headers=headers) as answer,
    ):
        assert answer.status in (400, 413), await answer.text()
        assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    "sdp",
    [
        "",
        "v=0",
        "x" * 300_000,
        "v=0\r\n" + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" * 2_000,
        "v=0\r\na=",
    ],
    ids=lambda sdp: sdp[:8],
)
async def test_a_description_gets_a_code(server: Server, witness: Witness, sdp: str) -> None:
    await witness.client.request("room:join", room=witness.hall)
    with pytest.raises(RequestRefused) as refused:
        await witness.client.request("media:publish", room=witness.hall, sdp=sdp)
    assert refused.value.code in ("bad_request", "too_large")


@pytest.mark.parametrize(
    "name", ["", "../../etc/passwd", "a/b", "a\\b", "a\0b", "..", "x" * 400, "\u202egpj.exe"]
)
async def test_a_file_name_gets_a_code(server: Server, witness: Witness, name: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        await witness.client.request(
            "file:offer",
            conversation=witness.hall,
            client_id="f1",
            name=name,
            size=3,
            type="text/plain",
            sha256="0" * 64,
        )
    assert refused.value.code == "bad_request"


CLIENT_HELLO = bytes.fromhex("16feff000000000000000000")


async def test_datagrams_are_counted_and_nothing_else(
    server: Server, witness: Witness, media_port: int
) -> None:
    junk = [b"", b"\x00", b"\xff", CLIENT_HELLO + os.urandom(200), b"\x00\x01\x00\x00" + bytes(16)]
    junk += [b"\x80" * 12, b"\xb0" + os.urandom(1100), os.urandom(1400), bytes(9000)]
    before = await dropped(server)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for told in range(1, 21):  # No more at a time than the kernel keeps for a busy server.
            for datagram in junk:
                stranger.sendto(datagram, ("127.0.0.1", media_port))
            async with asyncio.timeout(WAIT_S):
                while await dropped(server) - before < len(junk) * told:
                    await asyncio.sleep(0.01)


async def dropped(server: Server) -> float:
    """How many datagrams and packets have been dropped, by the server's own count."""
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    counts = [line for line in lines if line.startswith("tokenim_media_drops_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in counts)

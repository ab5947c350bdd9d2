"""REST on a whole process: users with tokens, the app's server with its key."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, encode_basic_auth

from signaling.admin import open_registry
from signaling.app import Process
from signaling.auth.registry import IssuedKey
from tests.signaling.http.callers import server_of, user_of

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def key(process: Process) -> IssuedKey:
    """An API key of the demo app with every scope."""
    async with open_registry(process._settings) as registry:
        return await registry.create_key("demo", "test", ("admin", "read", "tokens", "write"))


@pytest.fixture
async def client(process: Process) -> AsyncIterator[ClientSession]:
    async with ClientSession(process.url) as session:
        yield session


class Rest:
    """Calls as one caller; `code` holds the status of the last answer."""

    def __init__(self, client: ClientSession, **how: Any) -> None:
        self._client = client
        self._how = how
        self.code = 0

    async def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        how: dict[str, Any] = {**self._how, **more}
        if body is not None:
            how["data"] = json.dumps(body)
        async with self._client.request(method, path, **how) as response:
            self.code = response.status
            return await response.json(content_type=None)


def by_key(client: ClientSession, key: str, secret: str) -> Rest:
    return Rest(client, headers={"Authorization": encode_basic_auth(key, secret), **JSON})


@pytest.fixture
def server(client: ClientSession, key: IssuedKey) -> Rest:
    return by_key(client, key.key.id, key.secret)


async def user(client: ClientSession, name: str) -> Rest:
    async with client.post("/demo/token", json={"user": name}) as response:
        token = (await response.json())["token"]
    return Rest(client, headers={"Authorization": f"Bearer {token}", **JSON})


async def test_a_conversation_over_rest(client: ClientSession) -> None:
    ann, bob = await user(client, "ann"), await user(client, "bob")
    wish = {"type": "group", "title": "Tea", "client_id": "1", "members": ["bob"]}
    made = (await ann("POST", "/v1/conversations", wish))["conversation"]
    assert ann.code == 201
    path = f"/v1/conversations/{made['id']}"
    sent = await ann(
        "POST", f"{path}/messages", {"client_id": "m", "type": "text", "body": {"text": "hello"}}
    )
    again = await ann(
        "POST",
        f"{path}/messages",
        {"type": "text", "body": {"text": "hello"}},
        headers={**ann._how["headers"], "Idempotency-Key": "m"},
    )
    assert (again["seq"], again["duplicate"]) == (sent["seq"], True)
    await bob("PUT", f"{path}/read", {"seq": sent["seq"]})
    await bob("PUT", f"{path}/messages/{sent['seq']}/reactions/%F0%9F%8D%B5")
    history = await bob("GET", f"{path}/events?after=0&limit=100")
    kinds = [event["type"] for event in history["events"]]
    assert kinds[-2:] == ["message:created", "reaction:changed"]
    assert [entry["id"] for entry in (await bob("GET", "/v1/conversations"))["conversations"]] == [
        made["id"]
    ]
    await ann("DELETE", f"{path}/members/bob")
    await bob("GET", path)
    assert bob.code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/v1/conversations?limit=many", None, 400, "bad_request"),
        ("GET", "/v1/conversations?limit=0", None, 400, "bad_request"),
        ("POST", "/v1/conversations", {"type": "cult", "client_id": "1"}, 400, "bad_request"),
        ("POST", "/v1/conversations", [], 400, "bad_request"),
        ("GET", "/v1/conversations/none", None, 404, "not_found"),
        ("GET", "/v1/nothing", None, 404, "not_found"),
        ("PUT", "/v1/conversations", None, 405, "unsupported"),
        ("GET", "/v1/conversations?as=bob", None, 403, "forbidden"),
        ("GET", "/v1/keys", None, 403, "forbidden"),
        ("POST", "/v1/tokens", {"user": "eve"}, 403, "forbidden"),
    ],
)
async def test_users_are_refused_with_a_problem(
    client: ClientSession, method: str, path: str, body: Any, status: int, code: str
) -> None:
    ann = await user(client, "ann")
    problem = await ann(method, path, body)
    assert (ann.code, problem["status"], problem["code"]) == (status, status, code)


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer x.y.z", "Basic", "Basic !", "Basic eA==", "Basic eDp5", "Digest x"],
)
async def test_nobody_gets_in_without_credentials(client: ClientSession, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    async with client.get("/v1/conversations", headers=headers) as response:
        assert response.status == 401
        assert "Bearer" in response.headers["WWW-Authenticate"]


async def test_the_server_acts_for_users(server: Rest) -> None:
    wish = {"type": "group", "title": "Support", "client_id": "1"}
    await server("POST", "/v1/conversations", wish)
    assert server.code == 400
    made = (await server("POST", "/v1/conversations?as=desk", wish))["conversation"]
    assert made["created_by"] == "desk"
    listed = await server("GET", "/v1/conversations?as=desk")
    assert len(listed["conversations"]) == 1


async def test_keys_are_made_and_revoked(client: ClientSession, server: Rest) -> None:
    made = await server("POST", "/v1/keys", {"name": "reader", "scopes": ["read"]})
    assert server.code == 201
    reader = by_key(client, made["key"], made["secret"])
    assert (await reader("GET", "/v1/app"))["app"] == "demo"
    await reader("POST", "/v1/tokens", {"user": "ann"})
    assert reader.code == 403
    await reader("POST", "/v1/conversations?as=ann", {"type": "group", "client_id": "1"})
    assert reader.code == 403
    listed = (await server("GET", "/v1/keys"))["keys"]
    assert made["key"] in {entry["key"] for entry in listed}
    assert not any("secret" in entry for entry in listed)
    await server("DELETE", f"/v1/keys/{made['key']}")
    await reader("GET", "/v1/app")
    assert reader.code == 401
    await server("DELETE", "/v1/keys/key-none")
    assert server.code == 404


async def test_the_server_mints_tokens(client: ClientSession, server: Rest) -> None:
    minted = await server("POST", "/v1/tokens", {"user": "carol", "lifetime_s": 60})
    carol = Rest(client, headers={"Authorization": f"Bearer {minted['token']}", **JSON})
    assert (await carol("GET", "/v1/conversations"))["conversations"] == []
    for wish in ({"user": "a b"}, {"user": "a", "lifetime_s": 90_000}, {}):
        await server("POST", "/v1/tokens", wish)
        assert server.code == 400


async def test_settings_hold_public_keys_only(server: Rest) -> None:
    secret = {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}
    await server("PATCH", "/v1/app", {"settings": {"jwks": secret}})
    assert server.code == 400
    changed = await server("PATCH", "/v1/app", {"settings": {"jwks": {"keys": []}}})
    assert changed["settings"]["jwks"] == {"keys": []}


async def test_devices_are_listed_and_signed_out(server: Rest) -> None:
    assert (await server("GET", "/v1/users/ann/devices"))["devices"] == []
    await server("DELETE", "/v1/users/ann/devices/phone")
    assert server.code == 404


async def test_a_field_nobody_knows_is_passed_over_and_a_number_nothing_can_keep_refused(
    process: Process,
) -> None:
    async with ClientSession(process.url) as client:
        server = await server_of(process, client, "acme")
        ann = await user_of(client, server, "ann")
        group = {"type": "group", "client_id": "g", "more": -(2**70)}
        status, made = await ann("POST", "/v1/conversations", group)
        assert status == 201
        path = f"/v1/conversations/{made['conversation']['id']}/messages"
        said = {"type": "custom.x", "client_id": "m", "body": {"n": 2**70}}
        assert (await ann("POST", path, said))[0] == 400
        assert (await ann("POST", path, {**said, "body": {"n": 1}, "more": 2**70}))[0] == 201

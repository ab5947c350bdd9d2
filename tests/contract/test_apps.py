"""What every Apps and Users adapter guarantees."""

import pytest
from msgspec.structs import replace

from signaling.adapters.sql import Database, SqlApps, SqlUsers
from signaling.errors import Refused
from signaling.model import ApiKey, App
from tests.making import APP


@pytest.fixture
def apps(database: Database) -> SqlApps:
    return SqlApps(database)


@pytest.fixture
def users(database: Database) -> SqlUsers:
    return SqlUsers(database)


def _key(name: str, at: int) -> ApiKey:
    return ApiKey(
        id=name,
        app=APP,
        name="server",
        scopes=("tokens", "admin"),
        sealed=b"\x00\xff",
        digest=b"\x01",
        created_at=at,
    )


async def test_an_app_is_created_once(apps: SqlApps) -> None:
    app = App(id=APP, name="Acme", created_at=1, settings={"a": [1]})
    await apps.create(app)
    assert await apps.get(APP) == app
    assert await apps.all() == [app]
    assert await apps.get("other") is None
    with pytest.raises(Refused) as refused:
        await apps.create(app)
    assert refused.value.code == "conflict"
    await apps.update(replace(app, name="New"))
    assert await apps.get(APP) == replace(app, name="New")


async def test_keys_are_put_and_replaced(apps: SqlApps) -> None:
    await apps.create(App(id=APP, name="Acme", created_at=1))
    await apps.put_key(_key("k2", 2))
    await apps.put_key(_key("k1", 1))
    await apps.put_key(replace(_key("k2", 2), revoked_at=9))
    assert await apps.keys(APP) == [_key("k1", 1), replace(_key("k2", 2), revoked_at=9)]
    assert await apps.key("k1") == _key("k1", 1)
    assert await apps.key("k9") is None
    with pytest.raises(Refused) as refused:
        await apps.put_key(replace(_key("k3", 1), app="nobody"))
    assert refused.value.code == "not_found"


async def test_users_and_devices_are_seen(users: SqlUsers) -> None:
    await users.seen(APP, "ann", "phone", "Ann", 1)
    await users.seen(APP, "ann", "laptop", None, 2)
    await users.seen(APP, "bob", "phone", None, 3)
    assert await users.names(APP, ["ann", "bob", "eve"]) == {"ann": "Ann"}
    assert [(d.device, d.seen_at) for d in await users.devices(APP, "ann")] == [
        ("laptop", 2),
        ("phone", 1),
    ]


async def test_a_revoked_device_is_refused(users: SqlUsers) -> None:
    await users.seen(APP, "ann", "phone", "Ann", 1)
    assert await users.revoke_device(APP, "ann", "phone", 2)
    assert not await users.revoke_device(APP, "ann", "watch", 2)
    with pytest.raises(Refused) as refused:
        await users.seen(APP, "ann", "phone", "Ann", 3)
    assert refused.value.code == "unauthorized"


async def test_blocking_has_a_direction(users: SqlUsers) -> None:
    await users.block(APP, "ann", "bob", True)
    await users.block(APP, "ann", "bob", True)
    assert await users.blocked(APP, "ann", "bob")
    assert not await users.blocked(APP, "bob", "ann")
    await users.block(APP, "ann", "bob", False)
    assert await users.blocks(APP, "ann") == []

"""What every Apps and Users adapter guarantees."""

import asyncio

import pytest
from msgspec.structs import replace

from signaling.adapters.sql import Database, SqlApps, SqlUsers
from signaling.errors import Refused
from signaling.model import ApiKey, App, AuditEntry
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


async def test_an_app_is_changed_from_what_it_is(apps: SqlApps) -> None:
    app = App(id=APP, name="Acme", created_at=1, settings={"a": [1]})
    await apps.create(app)
    entry = AuditEntry(app=APP, at=2, actor="ann", action="app:updated", subject="", details={})

    def longer(found: App) -> tuple[App, AuditEntry]:
        return replace(found, name=found.name + "!"), entry

    await asyncio.gather(*(apps.change(APP, longer) for _ in range(5)))
    assert await apps.get(APP) == replace(app, name="Acme!!!!!")
    with pytest.raises(Refused) as refused:
        await apps.change("other", longer)
    assert refused.value.code == "not_found"


async def test_a_key_is_changed_from_what_it_is(apps: SqlApps) -> None:
    await apps.create(App(id=APP, name="Acme", created_at=1))
    await apps.put_key(_key("k1", 1))
    entry = AuditEntry(app=APP, at=2, actor="ann", action="key:x", subject="k1", details={})

    def longer(found: ApiKey | None) -> list[tuple[ApiKey, AuditEntry]]:
        return [] if found is None else [(replace(found, name=found.name + "!"), entry)]

    await asyncio.gather(*(apps.change_key("k1", longer) for _ in range(5)))
    await apps.change_key("k9", longer)
    assert await apps.keys(APP) == [replace(_key("k1", 1), name="server!!!!!")]

    def broken(found: ApiKey | None) -> list[tuple[ApiKey, AuditEntry]]:
        longer(found)
        raise Refused("conflict", "no")

    with pytest.raises(Refused):
        await apps.change_key("k1", broken)
    assert (await apps.keys(APP))[0].name == "server!!!!!"


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


async def test_a_revoked_device_is_back_with_a_token_made_later(users: SqlUsers) -> None:
    await users.seen(APP, "ann", "phone", "Ann", 1)
    assert await users.revoke_device(APP, "ann", "phone", 10)
    assert [one.revoked_at for one in await users.devices(APP, "ann")] == [10]
    for issued_at in (0, 10):
        with pytest.raises(Refused):
            await users.seen(APP, "ann", "phone", "Ann", 20, issued_at=issued_at)
    await users.seen(APP, "ann", "phone", "Ann", 20, issued_at=11, label="Phone")
    (phone,) = await users.devices(APP, "ann")
    assert (phone.revoked_at, phone.seen_at, phone.name) == (None, 20, "Phone")
    with pytest.raises(Refused):  # it is back, but not those tokens
        await users.seen(APP, "ann", "phone", "Ann", 30, issued_at=10)


async def test_who_names_no_device_is_seen_all_the_same(users: SqlUsers) -> None:
    await users.seen(APP, "ann", None, "Ann", 1)
    await users.seen(APP, "ann", None, None, 2)
    assert await users.devices(APP, "ann") == []
    assert await users.names(APP, ["ann"]) == {"ann": "Ann"}


async def test_blocking_has_a_direction(users: SqlUsers) -> None:
    await users.block(APP, "ann", "bob", "d", 9)
    await users.block(APP, "ann", "bob", "d", 9)
    assert await users.blocked(APP, "ann", "bob")
    assert not await users.blocked(APP, "bob", "ann")
    assert await users.blocking(APP, ["ann", "bob", "cat"], "bob") == ["ann"]
    assert not await users.blocked("other", "ann", "bob")
    await users.unblock(APP, "ann", "bob", "d")
    assert await users.blocks(APP, "ann") == []


async def test_blocks_have_an_end(users: SqlUsers) -> None:
    for other in ("bob", "cat", "bob"):
        await users.block(APP, "ann", other, "d", 2)
    with pytest.raises(Refused) as refused:
        await users.block(APP, "ann", "eve", "d", 2)
    assert refused.value.code == "quota_exceeded"
    await users.block("other", "ann", "eve", "d", 2)
    await users.unblock(APP, "ann", "bob", "d")
    await users.block(APP, "ann", "eve", "d", 2)
    assert sorted(await users.blocks(APP, "ann")) == ["cat", "eve"]

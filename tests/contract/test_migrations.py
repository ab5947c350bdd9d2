"""What a change of the schema does to what is there already."""

import json
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, text

from signaling.adapters.sql import Database, SqlApps, SqlConversations, SqlLog, SqlUsers
from signaling.adapters.sql.migrate import config
from signaling.errors import Refused
from signaling.model import ApiKey, App
from tests.making import APP, group, message

ID = "d_" + "0f" * 16


def _set(connection: Connection, conversation: str, **columns: Any) -> None:
    """As an earlier version left it."""
    for column, value in columns.items():
        statement = text(f"UPDATE conversations SET {column} = :value WHERE id = :id")
        connection.execute(statement, {"value": value, "id": conversation})


async def test_aliases_like_ids_are_renamed_and_named_back(database: Database) -> None:
    conversations = SqlConversations(database)
    one, two, three = [await group(conversations, "ann") for _ in range(3)]
    await database.write(lambda c: command.downgrade(config(c), "0052"))
    for name, alias in ((one, ID), (two, f"-{ID}"), (three, "den")):
        await database.write(lambda c, n=name, a=alias: _set(c, n, alias=a))
    await database.write(lambda c: command.upgrade(config(c), "head"))
    found = [await conversations.get(APP, name) for name in (one, two, three)]
    assert [one and one.alias for one in found] == [f"--{ID}", f"-{ID}", "den"]
    assert await conversations.get(APP, ID) is None
    await database.write(lambda c: command.downgrade(config(c), "0052"))
    await database.write(lambda c: command.upgrade(config(c), "head"))


async def test_pins_of_emptied_messages_go(database: Database) -> None:
    conversations, log = SqlConversations(database), SqlLog(database)
    name = await group(conversations, "ann")
    await log.append(message(name, "ann", "1"))
    await log.append(message(name, "ann", "2", body=None))
    await database.write(lambda c: command.downgrade(config(c), "0052"))
    pins = json.dumps({"pins": [1, 2, 9], "attributes": {"名": 1}})
    await database.write(lambda c: _set(c, name, settings=pins))
    await database.write(lambda c: command.upgrade(config(c), "head"))
    found = await conversations.get(APP, name)
    assert found is not None
    assert found.settings == {"pins": [1], "attributes": {"名": 1}}


async def test_only_what_signs_stays_sealed_and_devices_may_come_back(database: Database) -> None:
    apps, users = SqlApps(database), SqlUsers(database)
    await apps.create(App(id=APP, name="Acme", created_at=1))
    for name, scopes in (("k1", ("admin", "read")), ("k2", ("read", "tokens"))):
        digest = name.encode()
        key = ApiKey(
            id=name, app=APP, name="", scopes=scopes, sealed=b"x", digest=digest, created_at=1
        )
        await apps.put_key(key)
    await users.seen(APP, "ann", "phone", None, 1)
    await users.revoke_device(APP, "ann", "phone", 5)
    await database.write(lambda c: command.downgrade(config(c), "0072"))
    await database.write(lambda c: command.upgrade(config(c), "head"))
    assert [(key.id, key.sealed) for key in await apps.keys(APP)] == [("k1", b""), ("k2", b"x")]
    with pytest.raises(Refused):
        await users.seen(APP, "ann", "phone", None, 6, issued_at=5)
    await users.seen(APP, "ann", "phone", None, 6, issued_at=6)

"""One file's row in a transaction, and with it what the app's files weigh together.

An upload weighs what it promised, a blob its size once, however many files have it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from signaling.adapters.sql.rows import json_dict, json_text
from signaling.adapters.sql.tables_files import files, files_space
from signaling.services.file_record import File, State

KEPT = ("ready", "storing")


def find_file(connection: Connection, file: str) -> File | None:
    """By id."""
    row = connection.execute(select(files).where(files.c.id == file)).mappings().first()
    return None if row is None else file_of(row)


def add_file(connection: Connection, file: File) -> int:
    """Insert; what the app's files weigh with it."""
    connection.execute(insert(files).values(_values(file)))
    return _weigh(connection, file.app, _weight(connection, file))


def change_file(
    connection: Connection, file: str, expected: State, change: Callable[[File], File | None]
) -> File | None:
    """The row as it is then; None, and nothing done, when its state is another."""
    before = find_file(connection, file)
    after = change(before) if before is not None and before.state == expected else None
    if before is None or after is None:
        return None
    moved = _weight(connection, after) - _weight(connection, before)
    connection.execute(update(files).where(files.c.id == file).values(_values(after)))
    _weigh(connection, before.app, moved)
    return after


def drop_file(connection: Connection, file: str) -> None:
    """Forget the row; nothing happens when there is none."""
    before = find_file(connection, file)
    if before is not None:
        _weigh(connection, before.app, -_weight(connection, before))
        connection.execute(delete(files).where(files.c.id == file))


def twin_of(connection: Connection, file: File) -> File | None:
    """A `ready` file of the same bytes."""
    query = (
        select(files)
        .where(files.c.app == file.app, files.c.state == "ready", files.c.blob != "")
        .where(files.c.sha256 == file.sha256, files.c.size == file.size)
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    return None if row is None else file_of(row)


def file_of(row: Mapping[Any, Any]) -> File:
    """From all columns."""
    values = {name: row[name] for name in File.__struct_fields__}
    values["image"] = None if values["image"] is None else json_dict(values["image"])
    return File(**values)


def _values(file: File) -> dict[str, Any]:
    values = msgspec.structs.asdict(file)
    return {**values, "image": None if file.image is None else json_text(file.image)}


def _weight(connection: Connection, file: File) -> int:
    """What would be freed without this file, if it were as given."""
    if file.state == "uploading":
        return file.size
    if file.state not in KEPT:
        return 0
    same = (files.c.blob == file.blob) & files.c.state.in_(KEPT) & (files.c.id != file.id)
    shared = connection.execute(select(files.c.id).where(same).limit(1)).first()
    return 0 if shared else file.size


def _weigh(connection: Connection, app: str, moved: int) -> int:
    here = files_space.c.app == app
    query = select(files_space.c.bytes).where(here)
    before: int | None = connection.execute(query).scalar()
    after = (before or 0) + moved
    if before is None:
        connection.execute(insert(files_space).values(app=app, bytes=after))
    elif moved:
        connection.execute(update(files_space).where(here).values(bytes=after))
    return after

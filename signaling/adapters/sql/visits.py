"""Users and devices that are here now: many in one transaction, as they come back at once."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, func, insert, null, select, update

from signaling.adapters.sql.many import INT, TEXT, Many, Statement
from signaling.adapters.sql.tables import devices, users
from signaling.errors import Refused


class Visit(NamedTuple):
    """One call of `Users.seen`."""

    app: str
    user: str
    device: str | None
    name: str | None
    at: int
    issued_at: int
    label: str | None


def visit_many(connection: Connection, visits: Sequence[Visit]) -> list[Refused | None]:
    """Insert or refresh both rows of each, unless its device was signed out."""
    outcomes = _devices_seen(connection, visits)
    let_in = [visit for visit, refused in zip(visits, outcomes, strict=True) if refused is None]
    _users_seen(connection, let_in)
    return outcomes


def _devices_seen(connection: Connection, visits: Sequence[Visit]) -> list[Refused | None]:
    known = _known(connection, visits)
    new: dict[tuple[str, ...], dict[str, Any]] = {}
    again: dict[tuple[str, ...], dict[str, Any]] = {}
    outcomes: list[Refused | None] = []
    for visit in visits:
        place = (visit.app, visit.user, visit.device or "")
        not_before = known.get(place)
        over = not_before is not None and visit.issued_at <= not_before
        outcomes.append(_signed_out() if over else None)
        if visit.device is None or over:
            continue
        rows = again if place in known else new
        rows[place] = _newer(visit._asdict(), rows.get(place), "label")
        known.setdefault(place, None)
    for many, rows in ((_NEW_DEVICES, new), (_DEVICES_AGAIN, again)):
        if rows:
            many.execute(connection, list(rows.values()))
    return outcomes


def _known(connection: Connection, visits: Iterable[Visit]) -> dict[tuple[str, ...], int | None]:
    """By app, user and device: until when its tokens are refused."""
    named = {visit[:3]: visit._asdict() for visit in visits if visit.device is not None}
    rows = _KNOWN_DEVICES.execute(connection, list(named.values())) if named else ()
    return {tuple(row[:3]): row[3] for row in rows}


def _users_seen(connection: Connection, visits: Iterable[Visit]) -> None:
    people: dict[tuple[str, str], dict[str, Any]] = {}
    for visit in visits:
        person = (visit.app, visit.user)
        people[person] = _newer(visit._asdict(), people.get(person), "name")
    if people:
        known = {tuple(row) for row in _USERS_AGAIN.execute(connection, list(people.values()))}
        new = [row for person, row in people.items() if person not in known]
        if new:
            _NEW_USERS.execute(connection, new)


def _newer(row: dict[str, Any], earlier: dict[str, Any] | None, name: str) -> dict[str, Any]:
    """Of two in one group the later, which without a `name` leaves the other's."""
    if earlier is not None and row[name] is None:
        row[name] = earlier[name]
    return row


def _signed_out() -> Refused:
    return Refused("unauthorized", "this device has been signed out")


def _device(given: FromClause) -> ColumnElement[bool]:
    mine = (devices.c.app == given.c.app) & (devices.c.user == given.c.user)
    return mine & (devices.c.device == given.c.device)


def _known_devices(given: FromClause) -> Statement:
    columns = (devices.c.app, devices.c.user, devices.c.device, devices.c.not_before)
    return select(*columns).select_from(given.join(devices, _device(given)))


def _new_devices(given: FromClause) -> Statement:
    names = ["app", "user", "device", "name", "created_at", "seen_at"]
    one = given.c
    row = select(one.app, one.user, one.device, one.label, one.at, one.at.label("seen_at"))
    return insert(devices).from_select(names, row)


def _devices_again(given: FromClause) -> Statement:
    name = func.coalesce(given.c.label, devices.c.name)
    again = update(devices).where(_device(given))
    return again.values(seen_at=given.c.at, revoked_at=null(), name=name)


def _users_again(given: FromClause) -> Statement:
    again = update(users).where(users.c.app == given.c.app, users.c.id == given.c.user)
    name = func.coalesce(given.c.name, users.c.name)
    return again.values(seen_at=given.c.at, name=name).returning(users.c.app, users.c.id)


def _new_users(given: FromClause) -> Statement:
    names = ["app", "id", "name", "created_at", "seen_at"]
    one = given.c
    row = select(one.app, one.user, one.name, one.at, one.at.label("seen_at"))
    return insert(users).from_select(names, row)


_DEVICE = {"app": TEXT, "user": TEXT, "device": TEXT}
_KNOWN_DEVICES = Many(_DEVICE, _known_devices)
_NEW_DEVICES = Many({**_DEVICE, "label": TEXT, "at": INT}, _new_devices)
_DEVICES_AGAIN = Many({**_DEVICE, "label": TEXT, "at": INT}, _devices_again)
_PERSON = {"app": TEXT, "user": TEXT, "name": TEXT, "at": INT}
_USERS_AGAIN, _NEW_USERS = Many(_PERSON, _users_again), Many(_PERSON, _new_users)

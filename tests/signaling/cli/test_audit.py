"""`tokenim audit verify`, run as people run it."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.signaling.cli.test_cli import answer, env, run

__all__ = ["env"]

pytestmark = pytest.mark.timeout(240)


def test_counting_usage_again_is_in_every_app_s_trail(env: dict[str, str]) -> None:
    for name in ("acme", "bolt"):
        run(env, "app", "create", name.title(), "--id", name)
    run(env, "usage", "rebuild")
    with sqlite3.connect(Path(env["TOKENIM_DATA_DIR"]) / "tokenim.db") as database:
        found = database.execute("SELECT app, actor FROM audit WHERE action = 'usage:rebuilt'")
        assert sorted(found) == [("acme", "cli"), ("bolt", "cli")]
    database.close()
    answer(env, "audit", "verify")


def test_a_token_is_in_the_trail_and_not_what_it_is(env: dict[str, str]) -> None:
    made = answer(env, "app", "create", "Acme", "--id", "acme")
    wish = ("--user", "ann", "--device", "phone", "--room", "hall-*", "--lifetime", "10m")
    token = answer(env, "token", *wish)["token"]
    with sqlite3.connect(Path(env["TOKENIM_DATA_DIR"]) / "tokenim.db") as database:
        query = "SELECT actor, subject, details FROM audit WHERE action = 'token:minted'"
        ((actor, subject, details),) = database.execute(query)
    database.close()
    assert (actor, subject) == ("operator", "ann")
    known = {"key": made["key"], "device": "phone", "lifetime_s": 600, "rooms": ["hall-*"]}
    assert json.loads(details) == known
    assert token not in details
    answer(env, "audit", "verify")


def test_the_trail_is_verified_and_a_change_is_found(env: dict[str, str]) -> None:
    made = answer(env, "app", "create", "Acme", "--id", "acme")
    run(env, "key", "create", "acme")
    (trail,) = answer(env, "audit", "verify")["trails"]
    assert (trail["records"], trail["broken_at"]) == (3, None)
    assert made["secret"] not in run(env, "audit", "verify").stdout
    head = trail["head"]
    run(env, "key", "create", "acme")
    run(env, "audit", "verify", "--head", head)
    assert "no record" in run(env, "audit", "verify", "--head", "0" * 64, fails=True).stderr
    with sqlite3.connect(Path(env["TOKENIM_DATA_DIR"]) / "tokenim.db") as database:
        database.execute("DROP TRIGGER audit_no_update")
        database.execute("UPDATE audit SET actor = 'key:eve' WHERE number = 2")
    database.close()
    broken = run(env, "audit", "verify", fails=True)
    assert "acme: BROKEN at record 2" in broken.stdout

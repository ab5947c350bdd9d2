"""Bans and reports: one suite, on every database."""

import pytest

from signaling.adapters.sql import Database, SqlConversations
from signaling.adapters.sql.audit import SqlAudit
from signaling.adapters.sql.moderation import SqlBans, SqlReports
from signaling.adapters.sql.privacies import SqlPrivacies
from signaling.model import AuditEntry
from signaling.moderation.ban import Ban
from signaling.moderation.privacy import Chosen
from signaling.moderation.report import Report
from tests.making import APP, conversation, member


def entry(action: str) -> AuditEntry:
    return AuditEntry(app=APP, at=1, actor="key:k", action=action, subject="x")


def ban(user: str, **changes: object) -> Ban:
    fields: dict[str, object] = {"app": APP, "user": user, "by": "key:k", "at": 1, **changes}
    return Ban(**fields)  # type: ignore[arg-type]


def report(number: int, **changes: object) -> Report:
    fields: dict[str, object] = {
        "id": f"rep_{number}",
        "app": APP,
        "conversation": "c",
        "seq": number,
        "sender": "bob",
        "reporter": "cid",
        "reason": "rude",
        "snapshot": "{}",
        "at": number,
        **changes,
    }
    return Report(**fields)  # type: ignore[arg-type]


async def test_a_ban_is_kept_with_what_was_written_down(database: Database) -> None:
    bans, trail = SqlBans(database), SqlAudit(database)
    await bans.put(ban("bob"), entry("user:banned"))
    await bans.put(ban("bob", until=9, reason="粗口"), entry("user:banned"))
    await bans.put(ban("ann"), entry("user:banned"))
    assert await bans.get(APP, "bob") == ban("bob", until=9, reason="粗口")
    assert await bans.get("other", "bob") is None
    assert [one.user for one in await bans.page(APP, "", 9)] == ["ann", "bob"]
    assert [one.user for one in await bans.page(APP, "ann", 9)] == ["bob"]
    assert await bans.remove(APP, "bob", entry("user:unbanned"))
    assert not await bans.remove(APP, "bob", entry("user:unbanned"))
    assert len(await trail.page(APP, None, 9)) == 4


async def test_an_act_that_cannot_be_written_down_is_not_done(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise RuntimeError("the trail is full")

    monkeypatch.setattr("signaling.adapters.sql.moderation.append_audit", full)
    with pytest.raises(RuntimeError):
        await SqlBans(database).put(ban("bob"), entry("user:banned"))
    assert await SqlBans(database).get(APP, "bob") is None


async def test_reports_are_queued_once_and_resolved_once(database: Database) -> None:
    reports = SqlReports(database)
    for number in range(1, 4):
        assert await reports.put(report(number)) == (report(number), True)
    assert await reports.put(report(9, seq=1)) == (report(1), False)
    await reports.put(report(5, app="other", conversation="d"))
    page = await reports.page(APP, None, "open", None, 2)
    assert [one.id for one in page] == ["rep_3", "rep_2"]
    assert [one.id for one in await reports.page(APP, "c", "open", "rep_2", 9)] == ["rep_1"]
    done = report(2, state="resolved", action="kick", resolved_by="app", snapshot=None)
    assert await reports.resolve(done, entry("report:resolved"))
    assert not await reports.resolve(done, entry("report:resolved"))
    assert await reports.get(APP, "rep_2") == done
    assert await reports.get("other", "rep_2") is None
    assert len(await SqlAudit(database).page(APP, None, 9)) == 1


async def test_a_users_part_of_the_queue_is_forgotten(database: Database) -> None:
    reports = SqlReports(database)
    await reports.put(report(1))
    await reports.put(report(2, sender="cid", reporter="bob"))
    await reports.forget(APP, "bob")
    assert await reports.get(APP, "rep_1") == report(1, snapshot=None)
    assert await reports.get(APP, "rep_2") is None


async def test_who_is_kept_out_of_a_conversation(database: Database) -> None:
    store = SqlConversations(database)
    seats = [member("c", "ann"), member("c", "bob", banned_until=5, left_at=1, left_seq=1)]
    await store.create(conversation("c"), seats, [])
    assert [one.user for one in await store.banned("c", 4)] == ["bob"]
    assert await store.banned("c", 5) == []
    assert await store.banned("c", 4, after="bob") == []


async def test_what_a_user_chose_to_hide(database: Database) -> None:
    privacies = SqlPrivacies(database)
    await privacies.put(APP, "ann", Chosen(presence="nobody"))
    await privacies.put(APP, "ann", Chosen(presence="shared", last_seen="nobody"))
    await privacies.put("other", "bob", Chosen(last_seen="nobody"))
    found = await privacies.of(APP, ["ann", "bob"])
    assert found == {"ann": Chosen(presence="shared", last_seen="nobody")}
    await privacies.forget(APP, "ann")
    assert await privacies.of(APP, ["ann"]) == {}


async def test_a_report_is_claimed_by_one_until_its_time_is_over(database: Database) -> None:
    reports = SqlReports(database)
    await reports.put(report(1))
    assert not await reports.claim("other", "rep_1", 10, 20)
    assert await reports.claim(APP, "rep_1", 10, 20)
    assert not await reports.claim(APP, "rep_1", 19, 30)
    assert await reports.claim(APP, "rep_1", 20, 30), "its holder is gone"
    await reports.release("rep_1")
    assert await reports.claim(APP, "rep_1", 21, 40)
    done = report(1, state="resolved", action="dismiss", resolved_by="key:k", resolved_at=22)
    assert await reports.resolve(done, entry("report:resolved"))
    assert not await reports.claim(APP, "rep_1", 99, 100)
    assert await reports.get(APP, "rep_1") == done

"""The checker finds what is wrong, and nothing where nothing is."""

from typing import Any

import pytest

from signaling.check_history import check


def _acked(seq: int, **change: Any) -> dict[str, Any]:
    record = {"kind": "acked", "device": "ann/phone", "conversation": "c", "client_id": f"m{seq}"}
    return {**record, "seq": seq, "id": f"e{seq}", **change}


def _received(device: str, seq: int, **change: Any) -> dict[str, Any]:
    record = {"kind": "received", "device": device, "conversation": "c"}
    return {**record, "seq": seq, "id": f"e{seq}", **change}


def _heard(device: str, seq: int, **change: Any) -> dict[str, Any]:
    return {**_received(device, seq), "kind": "heard", **change}


def _log(device: str, *seqs: int, **change: Any) -> dict[str, Any]:
    events = [{"seq": n, "id": f"e{n}", "client_id": f"m{n}", "sender": "ann"} for n in seqs]
    return {"kind": "log", "device": device, "conversation": "c", "events": events, **change}


def _receipt(delivered: int, read: int) -> dict[str, Any]:
    record = {"kind": "receipt", "device": "ann/phone", "conversation": "c", "user": "bob"}
    return {**record, "delivered": delivered, "read": read}


GOOD = [
    _acked(1),
    _acked(2),
    _received("bob/phone", 1),
    _received("bob/phone", 2),
    _heard("bob/phone", 2, connection=1),
    _heard("bob/phone", 1, connection=2),
    _heard("bob/phone", 2, connection=2),
    _heard("bob/phone", 2),  # some network repeats
    _heard("bob/phone", 2),
    _receipt(1, 0),
    _receipt(2, 2),
    _log("ann/phone", 1, 2),
    _log("bob/phone", 1, 2),
]


def test_a_good_history() -> None:
    report = check(GOOD)
    assert report.good
    assert str(report) == "2 acked, 0 lost, 0 duplicated, 0 reordered"
    assert (report.heard, report.received, report.marks) == (5, 2, 2)


def test_a_late_member_sees_from_where_they_may() -> None:
    assert check([*GOOD, _log("cat/phone", 2, **{"from": 2})]).good


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ([_acked(3)], "lost"),
        ([_acked(2, id="other")], "lost"),
        ([_acked(1, conversation="unread")], "lost"),
        ([_log("cat/phone", 1)], "lost"),
        ([_received("bob/phone", 2)], "duplicated"),
        ([_received("cat/phone", 2), _received("cat/phone", 1)], "reordered"),
        ([_received("cat/phone", 1, id="other")], "reordered"),
        ([_received("cat/phone", 3)], "phantoms"),
        ([_received("cat/phone", 1, conversation="unread")], "phantoms"),
        ([_heard("cat/phone", 3)], "phantoms"),
        ([_heard("cat/phone", 1, id="other")], "reordered"),
        ([_heard("bob/phone", 1, connection=1)], "reordered"),
        ([_heard("bob/phone", 2, connection=2)], "duplicated"),
        ([_log("cat/phone", 1, 3)], "gaps"),
        ([_log("cat/phone", 2)], "gaps"),
        ([_receipt(1, 1)], "receipts"),
        ([_receipt(5, 6)], "receipts"),
    ],
)
def test_what_is_wrong_is_found(wrong: list[dict[str, Any]], found: str) -> None:
    report = check([*GOOD, *wrong])
    assert not report.good
    assert getattr(report, found) > 0
    assert report.problems


def test_the_same_send_twice_in_the_log_is_a_duplicate() -> None:
    log = _log("bob/phone", 1, 2, 3)
    log["events"][2]["client_id"] = "m1"
    assert check([log]).duplicated == 1


def test_a_record_of_no_kind() -> None:
    with pytest.raises(ValueError, match="no known kind"):
        check([{"kind": "rumour"}])

"""Checks what clients wrote down against what the log says: nothing lost, doubled or out of order.

Each client writes JSON lines, in the order things happened to it:

    {"kind": "acked", "device": "ann/phone", "conversation", "client_id", "seq", "id"}
    {"kind": "heard", "device", "conversation", "seq", "id", "connection"?}     as they came
    {"kind": "received", "device", "conversation", "seq", "id", "client_id"?}   as it applied them
    {"kind": "receipt", "device", "conversation", "user", "delivered", "read"}
    {"kind": "log", "device", "conversation", "events": [{"seq", "id", "client_id"?, "sender"?}]}

`log` is the whole history as that member reads it in the end. What comes may have gaps, but on one
`connection` (any name for it) it is in order and once; what is applied always is. Either must be
in the log. Pure: no clock, no files.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

EXAMPLES = 20


@dataclass(slots=True)
class Report:
    """What was found. `problems` names the first of each kind."""

    acked: int = 0
    heard: int = 0
    received: int = 0
    marks: int = 0
    """Receipts that were looked at."""
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    phantoms: int = 0
    """Events that a device was told and that stand in nobody's log."""
    gaps: int = 0
    receipts: int = 0
    """Receipts that moved back."""
    problems: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing is wrong."""
        wrong = (self.lost, self.duplicated, self.reordered, self.phantoms, self.gaps)
        return not any((*wrong, self.receipts))

    def __str__(self) -> str:
        line = (
            f"{self.acked} acked, {self.lost} lost, {self.duplicated} duplicated,"
            f" {self.reordered} reordered"
        )
        more = [
            f"{count} {what}"
            for count, what in (
                (self.phantoms, "in nobody's log"),
                (self.gaps, "gaps in seq"),
                (self.receipts, "receipts moved back"),
            )
            if count
        ]
        return ", ".join([line, *more])


@dataclass(slots=True)
class _Log:
    """One conversation's log: id by seq, as all members agree."""

    ids: dict[int, str] = field(default_factory=dict)
    sends: dict[tuple[str, str], int] = field(default_factory=dict)


class Checker:
    """Feed it every record, then ask for the report."""

    def __init__(self) -> None:
        self._acked: list[dict[str, Any]] = []
        self._heard: list[dict[str, Any]] = []
        self._received: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        self._marks: dict[tuple[str, str, str], tuple[int, int]] = {}
        self._views: list[dict[str, Any]] = []
        self._logs: dict[str, _Log] = defaultdict(_Log)
        self._report = Report()

    def add(self, record: dict[str, Any]) -> None:
        """One record. Raises ValueError for one that is none."""
        kind = record.get("kind")
        if kind == "acked":
            self._acked.append(record)
        elif kind == "heard":
            self._heard.append(record)
        elif kind == "received":
            self._received[record["device"], record["conversation"]].append(record)
        elif kind == "receipt":
            self._receipt(record)
        elif kind == "log":
            self._views.append(record)
        else:
            raise ValueError(f"a record of no known kind: {kind!r}")

    def report(self) -> Report:
        """Compare everything."""
        for view in self._views:
            self._view(view)
        for record in self._acked:
            self._ack(record)
        self._report.heard = len(self._heard)
        for (device, conversation), records in self._received.items():
            self._report.received += len(records)
            self._stream(f"{device} applied", self._logs[conversation], records)
        for (device, *_, conversation), records in _by_connection(self._heard).items():
            self._stream(f"{device} heard", self._logs[conversation], records)
        self._report.acked = len({_send(record) for record in self._acked})
        return self._report

    def _receipt(self, record: dict[str, Any]) -> None:
        self._report.marks += 1
        key = (record["device"], record["conversation"], record["user"])
        delivered, read = record["delivered"], record["read"]
        before = self._marks.get(key, (0, 0))
        if delivered < before[0] or read < before[1] or read > delivered:
            self._report.receipts += 1
            self._problem(f"receipt of {key} went from {before} to {(delivered, read)}")
        self._marks[key] = (delivered, read)

    def _view(self, view: dict[str, Any]) -> None:
        log, previous = self._logs[view["conversation"]], None
        seen: set[tuple[str, str]] = set()
        for event in view["events"]:
            seq = event["seq"]
            if previous is not None and seq != previous + 1:
                self._report.gaps += 1
                self._problem(f"{view['device']}: after {previous} comes {seq}")
            previous = seq
            if log.ids.setdefault(seq, event["id"]) != event["id"]:
                self._report.reordered += 1
                self._problem(f"{view['device']}: another event stands at {seq}")
            self._once(log, seen, event)
        if view["events"] and view["events"][0]["seq"] != view.get("from", 1):
            self._report.gaps += 1
            self._problem(f"{view['device']}: the log begins at {view['events'][0]['seq']}")

    def _once(self, log: _Log, seen: set[tuple[str, str]], event: dict[str, Any]) -> None:
        if event.get("client_id") is None:
            return
        key = (str(event.get("sender", "")), str(event["client_id"]))
        log.sends.setdefault(key, event["seq"])
        if key in seen:
            self._report.duplicated += 1
            self._problem(f"{key} stands twice in the log")
        seen.add(key)

    def _ack(self, record: dict[str, Any]) -> None:
        conversation = record["conversation"]
        for view in self._views:
            if view["conversation"] == conversation and not _holds(view, record):
                self._report.lost += 1
                self._problem(f"{record['client_id']} was acked; {view['device']} does not have it")
        if conversation not in self._logs:
            self._report.lost += 1
            self._problem(f"{record['client_id']} was acked; nobody has read {conversation}")

    def _stream(self, what: str, log: _Log, records: list[dict[str, Any]]) -> None:
        last, seen = 0, set()
        for record in records:
            seq = record["seq"]
            if seq not in log.ids:
                self._report.phantoms += 1
                self._problem(f"{what} {seq} ({record['id']}), which is in nobody's log")
            elif log.ids[seq] != record["id"]:
                self._report.reordered += 1
                self._problem(f"{what} another event as {seq}")
            elif seq in seen:
                self._report.duplicated += 1
                self._problem(f"{what} {seq} twice")
            elif seq < last:
                self._report.reordered += 1
                self._problem(f"{what} {seq} after {last}")
            seen.add(seq)
            last = max(last, seq)

    def _problem(self, text: str) -> None:
        if len(self._report.problems) < EXAMPLES:
            self._report.problems.append(text)


def _by_connection(
    records: list[dict[str, Any]],
) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    """What came on one connection, in order; each alone where none is named."""
    streams: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for number, record in enumerate(records):
        connection = record.get("connection", number)
        streams[record["device"], connection, record["conversation"]].append(record)
    return streams


def _send(record: dict[str, Any]) -> tuple[str, str, str]:
    return (record["device"].split("/")[0], record["conversation"], record["client_id"])


def _holds(view: dict[str, Any], record: dict[str, Any]) -> bool:
    first = view.get("from", 1)
    if record["seq"] < first:
        return True
    place = record["seq"] - first
    events = view["events"]
    return place < len(events) and bool(events[place]["id"] == record["id"])


def check(records: Iterable[dict[str, Any]]) -> Report:
    """The report over all records."""
    checker = Checker()
    for record in records:
        checker.add(record)
    return checker.report()

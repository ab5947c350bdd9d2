"""Checks what clients wrote down against what the log says: nothing lost, doubled or out of order.

Each client writes JSON lines, in the order things happened to it:

    {"kind": "acked", "device": "ann/phone", "conversation", "client_id", "seq", "id"}
    {"kind": "received", "device", "conversation", "seq", "id", "client_id"?}   as it applied them
    {"kind": "receipt", "device", "conversation", "user", "delivered", "read"}
    {"kind": "log", "device", "conversation", "events": [{"seq", "id", "client_id"?, "sender"?}]}

`log` is the whole history as that member reads it in the end. Pure: no clock, no files.
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
    received: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    gaps: int = 0
    receipts: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing is wrong."""
        return not (self.lost or self.duplicated or self.reordered or self.gaps or self.receipts)

    def __str__(self) -> str:
        line = (
            f"{self.acked} acked, {self.lost} lost, {self.duplicated} duplicated,"
            f" {self.reordered} reordered"
        )
        more = [
            f"{count} {what}"
            for count, what in ((self.gaps, "gaps in seq"), (self.receipts, "receipts moved back"))
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
        for (device, conversation), records in self._received.items():
            self._stream(device, self._logs[conversation], records)
        self._report.acked = len({_send(record) for record in self._acked})
        return self._report

    def _receipt(self, record: dict[str, Any]) -> None:
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

    def _stream(self, device: str, log: _Log, records: list[dict[str, Any]]) -> None:
        last, seen = 0, set()
        for record in records:
            seq = record["seq"]
            self._report.received += 1
            if seq in seen:
                self._report.duplicated += 1
                self._problem(f"{device} applied {seq} twice")
            elif seq < last or log.ids.get(seq, record["id"]) != record["id"]:
                self._report.reordered += 1
                self._problem(f"{device} applied {seq} after {last}, or another event as {seq}")
            seen.add(seq)
            last = max(last, seq)

    def _problem(self, text: str) -> None:
        if len(self._report.problems) < EXAMPLES:
            self._report.problems.append(text)


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

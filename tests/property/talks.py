"""What may be known of a conversation by whom: a model that fits in the head."""

from dataclasses import dataclass, field
from typing import Any

Person = tuple[str, str]
"""App and user."""

OFFICE = ("owner", "admin")


@dataclass(frozen=True)
class Entry:
    """One event, and who was in when it happened."""

    type: str
    sender: str
    audience: frozenset[Person]
    target: int = 0
    text: str = ""


@dataclass
class Talk:
    """A conversation: an entry per event, and who sees from where."""

    app: str
    name: str
    kind: str = "group"
    from_joining: bool = False
    entries: list[Entry] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)
    """By seq of messages that were not recalled."""
    mentions: dict[int, list[str]] = field(default_factory=dict)
    reactions: set[tuple[int, Person]] = field(default_factory=set)
    members: dict[Person, int] = field(default_factory=dict)
    """From which seq each one sees."""
    came: dict[Person, int] = field(default_factory=dict)
    """The seq of each member's joining."""
    roles: dict[Person, str] = field(default_factory=dict)
    marks: dict[Person, tuple[int, int]] = field(default_factory=dict)
    banned: set[Person] = field(default_factory=set)

    @property
    def head(self) -> int:
        return len(self.entries)

    @property
    def messages(self) -> list[int]:
        """Seqs of all messages, recalled ones too: their places are seen, and counted."""
        return [n for n, one in enumerate(self.entries, 1) if one.type == "message:created"]

    @property
    def owners(self) -> int:
        return sum(self.roles[person] == "owner" for person in self.members)

    def log(self, type_: str, sender: Person, also: Person | None = None, **about: Any) -> int:
        """An event that those inside are told, and whom it lets in."""
        audience = frozenset(self.members) | ({also} if also else set())
        self.entries.append(Entry(type_, sender[1], audience, **about))
        return self.head

    def enter(self, person: Person, by: Person, role: str, *, founding: bool = False) -> None:
        """In, and told so."""
        seq = self.log("member:joined", by, also=person)
        self.members[person] = seq if self.from_joining and not founding else 0
        self.came[person], self.roles[person], self.marks[person] = seq, role, (seq, seq)

    def go(self, person: Person, by: Person) -> None:
        """Out, and told so."""
        self.log("member:left", by)
        del self.members[person], self.came[person]

    def office(self, person: Person) -> bool:
        """Whether somebody is an admin or owner here."""
        return person in self.members and self.roles[person] in OFFICE

    def seen_by(self, person: Person) -> list[int]:
        """Seqs a user may read."""
        if person not in self.members:
            return []
        return list(range(max(1, self.members[person]), self.head + 1))

    def message(self, person: Person, seq: int) -> Entry | None:
        """A message somebody may do something about."""
        entry = self.entries[seq - 1] if seq in self.seen_by(person) else None
        return entry if entry is not None and entry.type == "message:created" else None

    def body(self, person: Person, seq: int) -> dict[str, str] | None:
        """What history says to a member at this place of the log."""
        entry = self.entries[seq - 1]
        if entry.type == "message:edited":
            shown = entry.target >= self.members[person] and entry.target in self.texts
            return {"text": entry.text} if shown else None
        text = self.texts.get(seq)
        return None if text is None else {"text": text}

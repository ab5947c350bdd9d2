"""The HTTP resources of running WHIP and WHEP sessions."""

import secrets
from dataclasses import dataclass, field
from typing import Literal

from media.errors import MediaError
from media.events import TrackPublished, TrackUnpublished, TrackUpdated

Kind = Literal["whip", "whep"]
MAX_SESSIONS = 1000


def _etag() -> str:
    return f'"{secrets.token_hex(8)}"'


@dataclass(slots=True)
class Session:
    """One publisher or viewer that came by HTTP."""

    kind: Kind
    room: str
    """Inside the Sfu."""
    offer: str
    ufrag: str
    asked: str = ""
    """The room as its URL names it."""
    token: str | None = field(default=None, repr=False)
    """What it was admitted with, to be judged again."""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    """Not to be guessed: it is the resource's path."""
    tag: object = None
    """The judge's; see Admission."""
    tracks: dict[str, TrackPublished | TrackUpdated] = field(default_factory=dict)
    """What it publishes, as it was last told."""
    etag: str = field(default_factory=_etag)
    """Names the ICE session; a restart makes a new one (RFC 9725 section 4.3.1)."""

    @property
    def participant(self) -> str:
        """Its name in the Room."""
        return f"{self.kind}-{self.id}"

    def track(self, event: TrackPublished | TrackUpdated | TrackUnpublished) -> None:
        """A track of it came, changed or went."""
        if isinstance(event, TrackUnpublished):
            self.tracks.pop(event.track, None)
        else:
            self.tracks[event.track] = event

    def restarted(self, offer: str, ufrag: str) -> None:
        """ICE was restarted: what was trickled for the session before is stale."""
        self.offer, self.ufrag, self.etag = offer, ufrag, _etag()


class Sessions:
    """All of them, by id and by Participant."""

    def __init__(self, limit: int = MAX_SESSIONS) -> None:
        self._limit = limit
        self._by_id: dict[str, Session] = {}
        self._by_participant: dict[tuple[str, str], Session] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, session: Session) -> None:
        """A session begins. Raises MediaError `unavailable` when there are too many."""
        if len(self._by_id) >= self._limit:
            raise MediaError("unavailable", "too many sessions")
        self._by_id[session.id] = session
        self._by_participant[session.room, session.participant] = session

    def find(self, kind: str, id_: str, room: str) -> Session:
        """The session of that path. Raises MediaError `not_found`."""
        session = self._by_id.get(id_)
        if session is None or session.kind != kind or session.room != room:
            raise MediaError("not_found", "no such session")
        return session

    def of(self, room: str, participant: str) -> Session | None:
        """The session of a Participant."""
        return self._by_participant.get((room, participant))

    def remove(self, session: Session) -> bool:
        """A session ends; False when it already had."""
        self._by_participant.pop((session.room, session.participant), None)
        return self._by_id.pop(session.id, None) is not None

    def all(self) -> list[Session]:
        """A copy, for closing them."""
        return list(self._by_id.values())

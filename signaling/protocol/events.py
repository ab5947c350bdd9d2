"""What the server sends: every event by name, with its fields."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EventKind:
    """One event; an entry of a log also has `conversation, seq, id, type, sender, at`."""

    name: str
    summary: str
    fields: str
    """Names, `?` after those that may be absent."""
    logged: bool = False


EVENTS = (
    EventKind(
        "session:ready",
        "The first event of a Connection.",
        "user name device app cursor server_time expires_at limits features ice_servers"
        " unread_total mentions_total missed",
    ),
    EventKind("session:expiring", "The token ends soon: send `session:refresh`.", "expires_at"),
    EventKind(
        "message:created",
        "A message.",
        "client_id kind body sender_name? reply_to? thread? mentions? expires_at?",
        logged=True,
    ),
    EventKind(
        "message:edited",
        "A message has another body.",
        "target kind body mentions? expires_at?",
        logged=True,
    ),
    EventKind("message:recalled", "A message was taken back.", "target by", logged=True),
    EventKind("message:pinned", "A message was pinned, or not any more.", "target on", logged=True),
    EventKind("reaction:changed", "Someone's reaction.", "target emoji user on", logged=True),
    EventKind("member:joined", "Someone is a member.", "user role name? from_seq?", logged=True),
    EventKind("member:left", "Someone is no member any more.", "user reason?", logged=True),
    EventKind("member:updated", "A role or a mute changed.", "user role muted_until?", logged=True),
    EventKind(
        "member:banned", "Someone is kept out; null is for ever.", "user until reason?", logged=True
    ),
    EventKind("member:unbanned", "Someone may come again.", "user", logged=True),
    EventKind(
        "conversation:updated", "Title or settings changed.", "title? settings?", logged=True
    ),
    EventKind(
        "call:ended", "A call, as history keeps it.", "call media outcome duration_ms", logged=True
    ),
    EventKind(
        "file:ready", "A file is whole and checked.", "file name size type sha256", logged=True
    ),
    EventKind(
        "conversation:preferred",
        "One's own view of a conversation changed, on whichever device.",
        "conversation archived? pinned? silent_until? notify?",
    ),
    EventKind(
        "scheduled:failed",
        "A message was refused when its time came.",
        "scheduled error",
    ),
    EventKind("receipt:updated", "Someone's watermarks moved.", "conversation user delivered read"),
    EventKind("typing:changed", "Someone writes, or stopped.", "conversation user on"),
    EventKind("presence:changed", "A watched user.", "user status text? last_seen? devices"),
    EventKind("call:ringing", "A call for this user, on every device.", "call"),
    EventKind("call:changed", "A call moved on.", "call"),
    EventKind(
        "signal:received",
        "Another client's offer, answer or candidate.",
        "from call? description? candidate?",
    ),
    EventKind("participant:joined", "Someone is in a Room.", "room participant user name"),
    EventKind("participant:left", "Someone left a Room.", "room participant reason?"),
    EventKind("participant:updated", "A name or attributes changed.", "room participant"),
    EventKind("track:published", "A track can be received.", "room participant track kind source"),
    EventKind("track:unpublished", "A track ended.", "room participant track"),
    EventKind("track:updated", "A track was muted or changed.", "room participant track muted"),
    EventKind(
        "media:offer",
        "The server's offer on `subscribe`; answer with `media:answer`.",
        "room offer_id sdp tracks",
    ),
    EventKind("room:speakers", "Who is heard, loudest first.", "room speakers"),
    EventKind("room:quality", "How well connections do, 1 to 5.", "room participant score"),
    EventKind("file:progress", "How far an upload is.", "file name size offset state sender"),
    EventKind(
        "usage:warning",
        "An admin's app has used 80 % of a limit of its plan.",
        "metric level period used limit at",
    ),
    EventKind(
        "usage:exceeded",
        "An admin's app has used a limit of its plan up.",
        "metric level period used limit at",
    ),
    EventKind(
        "report:created",
        "For the app's administrators: a member reported a message.",
        "report conversation seq sender reporter reason at state",
    ),
    EventKind(
        "report:resolved",
        "For the app's administrators: a report is closed.",
        "report conversation seq sender action resolved_by resolved_at note?",
    ),
    EventKind("server:drain", "This node goes away; connect again then.", "retry_after_ms"),
)

LOG_FIELDS = ("conversation", "seq", "id", "type", "sender", "at")

"""What the server sends: every event by name, with the struct of its payload."""

from collections.abc import Mapping

from signaling.protocol import entries, told
from signaling.protocol.naming import Shape

EVENTS: Mapping[str, Shape] = {
    "session:ready": told.SessionReady,
    "session:expiring": told.SessionExpiring,
    "message:created": entries.MessageCreated,
    "message:edited": entries.MessageEdited,
    "message:recalled": entries.MessageRecalled,
    "message:pinned": entries.MessagePinned,
    "reaction:changed": entries.ReactionChanged,
    "member:joined": entries.MemberJoined,
    "member:left": entries.MemberLeft,
    "member:updated": entries.MemberUpdated,
    "member:banned": entries.MemberBanned,
    "member:unbanned": entries.MemberUnbanned,
    "conversation:updated": entries.ConversationUpdated,
    "call:ended": entries.CallEnded,
    "file:ready": entries.FileReady | told.RoomFileReady,
    "conversation:preferred": told.ConversationPreferred,
    "scheduled:failed": told.ScheduledFailed,
    "receipt:updated": told.ReceiptUpdated,
    "typing:changed": told.TypingChanged,
    "presence:changed": told.PresenceChanged,
    "call:ringing": told.CallRinging,
    "call:changed": told.CallChanged,
    "signal:received": told.SignalReceived,
    "participant:joined": told.ParticipantJoined,
    "participant:left": told.ParticipantLeft,
    "participant:updated": told.ParticipantUpdated,
    "track:published": told.TrackPublished,
    "track:unpublished": told.TrackUnpublished,
    "track:updated": told.TrackUpdated,
    "media:offer": told.MediaOffer,
    "room:speakers": told.RoomSpeakers,
    "room:quality": told.RoomQuality,
    "file:progress": told.FileProgress,
    "usage:warning": told.UsageWarning,
    "usage:exceeded": told.UsageExceeded,
    "report:created": told.ReportCreated,
    "report:resolved": told.ReportResolved,
    "server:drain": told.ServerDrain,
}

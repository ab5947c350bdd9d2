"""Who may do what in a conversation. Pure: they look, and raise Refused."""

from collections.abc import Callable, Sequence

from signaling.errors import Refused
from signaling.model import Conversation, Event, Identity, Member, Role

RANKS = {"guest": 0, "member": 1, "admin": 2, "owner": 3}
EVERYONE = "*"

Policy = Callable[[Conversation, Member | None], None]


def rank(who: Identity, member: Member) -> int:
    """A member's weight; an administrator of the app weighs at least as much as an admin."""
    return max(RANKS[member.role], RANKS["admin"] if who.grants.admin else 0)


def present(member: Member | None) -> Member:
    """A member who has not left; for others the conversation does not exist."""
    if member is None or member.left_at is not None:
        raise Refused("not_found", "no such conversation")
    return member


def not_direct(conversation: Conversation) -> None:
    """Direct conversations have their two members, and nothing to manage."""
    if conversation.type == "direct":
        raise Refused("forbidden", "not in a direct conversation")


def not_archived(conversation: Conversation) -> None:
    """What is archived for all is read only."""
    if conversation.archived_at is not None:
        raise Refused("forbidden", "the conversation is archived")


def may_manage(who: Identity, conversation: Conversation, member: Member | None) -> Member:
    """Admins and owners change the conversation and its members."""
    here = present(member)
    not_direct(conversation)
    if rank(who, here) < RANKS["admin"]:
        raise Refused("forbidden", "only an admin or owner may do this")
    return here


def may_moderate(who: Identity, conversation: Conversation, member: Member | None) -> Member:
    """Who mutes, removes and bans: admins and owners, and an administrator of the app from
    outside.
    """
    not_direct(conversation)
    outside = member is None or member.left_at is not None
    if outside and who.grants.admin:
        return Member(conversation=conversation.id, user=who.user, role="admin", joined_at=0)
    return may_manage(who, conversation, member)


def may_take_back(who: Identity, conversation: Conversation, member: Member | None) -> None:
    """Who removes others' messages: admins and owners, and an administrator of the app."""
    if not who.grants.admin:
        may_manage(who, conversation, member)


def may_enter(member: Member | None, now: int) -> None:
    """Whoever was banned stays out, by whatever door."""
    if member is not None and member.banned_until is not None and member.banned_until > now:
        raise Refused("forbidden", "banned from this conversation")


def may_pin(who: Identity, conversation: Conversation, member: Member | None) -> Member:
    """Both in a direct conversation, admins elsewhere."""
    here = present(member)
    if conversation.type != "direct":
        may_manage(who, conversation, member)
    not_archived(conversation)
    return here


def may_write(
    who: Identity, now: int, slow_ms: int = 0, mentions: Sequence[str] | None = ()
) -> Policy:
    """Who may add messages: members not muted, in time; in channels only admins and owners.

    `slow_ms` is the app's least time between two messages, where a conversation has none.
    """
    edits = may_edit(who, now, mentions)

    def allow(conversation: Conversation, member: Member | None) -> None:
        edits(conversation, member)
        here = present(member)
        if rank(who, here) < RANKS["admin"]:
            _in_time(conversation, here, now, slow_ms)

    return allow


def may_edit(who: Identity, now: int, mentions: Sequence[str] | None = ()) -> Policy:
    """Who may change their messages: whoever may write, without slow mode. Guests wake nobody
    but whom they name.
    """

    def allow(conversation: Conversation, member: Member | None) -> None:
        here = present(member)
        not_archived(conversation)
        if conversation.type == "channel" and rank(who, here) < RANKS["admin"]:
            raise Refused("forbidden", "only admins write in a channel")
        _not_muted(here, now)
        _not_blocked(conversation, here)
        if mentions and EVERYONE in mentions:
            no_guest(who, here)

    return allow


def no_guest(who: Identity, member: Member) -> None:
    """Guests read, write and react; what rings or wakes everyone is for members."""
    if rank(who, member) < RANKS["member"]:
        raise Refused("forbidden", "guests may not do this")


def may_act(who: Identity, conversation: Conversation, member: Member | None, now: int) -> Member:
    """Who may react: readers of a channel too, so less than writing."""
    here = present(member)
    not_archived(conversation)
    _not_muted(here, now)
    _not_blocked(conversation, here)
    return here


def visible_message(event: Event | None, member: Member) -> Event:
    """A message this member may see."""
    if event is None or event.type != "message:created" or event.seq < member.from_seq:
        raise Refused("not_found", "no such message")
    return event


def still_there(event: Event, now: int) -> Event:
    """A message whose body is for ever gone, or about to be, is not changed any more."""
    if event.data.get("recalled"):
        raise Refused("not_found", "the message was recalled")
    expires_at = event.data.get("expires_at")
    if event.data.get("expired") or (expires_at is not None and expires_at <= now):
        raise Refused("not_found", "the message has expired")
    return event


def in_limit(conversation: Conversation, event: Event, now: int, app_ms: int = 0) -> None:
    """Whether a sender may still take a message back or change it; `app_ms` is the app's limit,
    where the conversation has none of its own.
    """
    limit_ms = conversation.settings.get("recall_limit_ms", app_ms)
    if limit_ms and now - event.at > limit_ms:
        raise Refused("forbidden", "it is too late for this message")


def may_set_role(who: Identity, actor: Member, old: str | None, new: str) -> None:
    """Nobody gives or takes what they do not have: only owners make or unmake owners and admins."""
    if who.grants.admin:
        return
    weight = RANKS[actor.role]
    touched = max(RANKS[new], RANKS[old] if old else 0)
    if touched >= RANKS["admin"] and weight < RANKS["owner"]:
        raise Refused("forbidden", "only an owner may do this")


def steps_down(actor: Member, target: Member, role: Role) -> bool:
    """Whether somebody gives up of their own role: nobody needs to be asked."""
    return actor.user == target.user and RANKS[role] <= RANKS[target.role]


def _not_muted(member: Member, now: int) -> None:
    if member.muted_until is not None and member.muted_until > now:
        wait_ms = member.muted_until - now
        raise Refused("forbidden", "you are muted here", retry_after_ms=wait_ms)


def _not_blocked(conversation: Conversation, member: Member) -> None:
    blocked_by = conversation.settings.get("blocked_by", ())
    if blocked_by:
        raise Refused("forbidden", "one of you blocks the other")


def _in_time(conversation: Conversation, member: Member, now: int, app_ms: int) -> None:
    fallback = 0 if conversation.type == "direct" else app_ms
    slow_ms = conversation.settings.get("slow_mode_ms", fallback)
    wait_ms = member.sent_at + slow_ms - now
    if slow_ms and wait_ms > 0:
        raise Refused("rate_limited", "slow mode", retry_after_ms=wait_ms)

"""Messaging put together: the services over the stores, and which answers which request."""

from dataclasses import dataclass

from signaling.dispatch import Handler
from signaling.moderation.screen import Screen
from signaling.ports import (
    Broker,
    Clock,
    Conversations,
    Invites,
    Log,
    Search,
    Users,
    Waiting,
)
from signaling.protocol import conversations as conversation_wire
from signaling.protocol import messages as message_wire
from signaling.protocol import receipts as receipt_wire
from signaling.protocol import session as session_wire
from signaling.services.amendments import AmendmentService
from signaling.services.announce import Announcer
from signaling.services.banning import BanService
from signaling.services.blocks import BlockService
from signaling.services.conversations import ConversationService
from signaling.services.history import HistoryService
from signaling.services.invites import InviteService
from signaling.services.limits import Limits
from signaling.services.membership import MembershipService
from signaling.services.messages import MessageService
from signaling.services.receipts import ReceiptService
from signaling.services.scheduling import SchedulingService
from signaling.services.search import SearchService
from signaling.tasks import Tasks

SEND_DUE_S = 1.0
EXPIRE_S = 5.0
INDEX_S = 2.0


@dataclass(frozen=True, slots=True)
class Beside:
    """Stores beside the log that messaging needs."""

    search: Search
    invites: Invites
    waiting: Waiting


class Messaging:
    """The services of conversations, messages and receipts."""

    def __init__(
        self,
        log: Log,
        conversations: Conversations,
        users: Users,
        beside: Beside,
        broker: Broker,
        limits: Limits,
        clock: Clock,
        screen: Screen | None = None,
    ) -> None:
        self._index = beside.search.index
        announcer = Announcer(broker)
        self.conversations = ConversationService(conversations, announcer, limits, clock)
        self.membership = MembershipService(
            conversations, users, self.conversations, announcer, limits, clock
        )
        self.messages = MessageService(log, conversations, broker, limits, clock, screen)
        self.amendments = AmendmentService(conversations, announcer, limits, clock, screen)
        self.history = HistoryService(log, conversations, self.conversations, limits, clock)
        self.receipts = ReceiptService(conversations, broker, limits)
        self.search = SearchService(beside.search, conversations, clock)
        self.invites = InviteService(beside.invites, conversations, self.membership, clock)
        self.scheduling = SchedulingService(beside.waiting, self.messages, announcer, limits, clock)
        self.bans = BanService(conversations, conversations, announcer, clock)
        self.blocks = BlockService(users, limits)

    def start(self, tasks: Tasks) -> None:
        """Send what is due, forget what is over, keep the search index near the log's end."""
        tasks.every(SEND_DUE_S, self.scheduling.send_due, "send scheduled messages")
        tasks.every(EXPIRE_S, self.scheduling.expire, "expire messages")
        tasks.every(INDEX_S, self._index, "index messages")

    def table(self) -> dict[str, Handler]:
        """Every request these services answer."""
        return {**self._conversations(), **self._messages()}

    def _conversations(self) -> dict[str, Handler]:
        wire, views, membership = conversation_wire, self.conversations, self.membership
        return {
            "conversation:create": Handler(wire.CreateConversation, views.create),
            "conversation:list": Handler(wire.ListConversations, views.list),
            "conversation:get": Handler(wire.GetConversation, views.get),
            "conversation:update": Handler(wire.UpdateConversation, views.update),
            "conversation:archive": Handler(wire.ArchiveConversation, views.archive),
            "conversation:prefer": Handler(wire.PreferConversation, views.prefer),
            "conversation:join": Handler(wire.JoinConversation, self.invites.join),
            "conversation:leave": Handler(wire.LeaveConversation, membership.leave),
            "member:add": Handler(wire.AddMember, membership.add),
            "member:remove": Handler(wire.RemoveMember, membership.remove),
            "member:update": Handler(wire.UpdateMember, membership.update),
            "member:ban": Handler(wire.BanMember, self.bans.ban),
            "member:unban": Handler(wire.UnbanMember, self.bans.unban),
            "member:bans": Handler(wire.ListBans, self.bans.list),
            "member:list": Handler(wire.ListMembers, membership.list),
            "invite:create": Handler(wire.CreateInvite, self.invites.create),
            "invite:revoke": Handler(wire.RevokeInvite, self.invites.revoke),
            "invite:list": Handler(wire.ListInvites, self.invites.list),
            "user:block": Handler(wire.BlockUser, self.blocks.block),
            "user:unblock": Handler(wire.BlockUser, self.blocks.unblock),
        }

    def _messages(self) -> dict[str, Handler]:
        wire, amendments, receipts = message_wire, self.amendments, self.receipts
        return {
            "message:send": Handler(wire.SendMessage, self.scheduling.send),
            "message:edit": Handler(wire.EditMessage, amendments.edit),
            "message:recall": Handler(wire.RecallMessage, amendments.recall),
            "message:pin": Handler(wire.PinMessage, amendments.pin),
            "reaction:set": Handler(wire.SetReaction, amendments.react),
            "history:get": Handler(wire.GetHistory, self.history.get),
            "message:search": Handler(wire.SearchMessages, self.search.find),
            "scheduled:list": Handler(wire.ListScheduled, self.scheduling.list),
            "scheduled:cancel": Handler(wire.CancelScheduled, self.scheduling.cancel),
            "sync": Handler(session_wire.Sync, self.history.sync),
            "receipt:delivered": Handler(receipt_wire.Receipt, receipts.delivered),
            "receipt:read": Handler(receipt_wire.Receipt, receipts.read),
            "receipt:get": Handler(receipt_wire.GetReceipts, receipts.get),
        }

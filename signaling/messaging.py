"""Messaging put together: the services over the stores, and which answers which request."""

from signaling.dispatch import Handler
from signaling.ports import Broker, Clock, Conversations, Log, Users
from signaling.protocol import conversations as conversation_wire
from signaling.protocol import messages as message_wire
from signaling.protocol import receipts as receipt_wire
from signaling.protocol import session as session_wire
from signaling.services.amendments import AmendmentService
from signaling.services.announce import Announcer
from signaling.services.conversations import ConversationService
from signaling.services.history import HistoryService
from signaling.services.limits import Limits
from signaling.services.membership import MembershipService
from signaling.services.messages import MessageService
from signaling.services.receipts import ReceiptService


class Messaging:
    """The services of conversations, messages and receipts."""

    def __init__(
        self,
        log: Log,
        conversations: Conversations,
        users: Users,
        broker: Broker,
        limits: Limits,
        clock: Clock,
    ) -> None:
        announcer = Announcer(broker)
        self.conversations = ConversationService(conversations, users, announcer, limits, clock)
        self.membership = MembershipService(
            conversations, self.conversations, announcer, limits, clock
        )
        self.messages = MessageService(log, conversations, broker, limits, clock)
        self.amendments = AmendmentService(conversations, announcer, limits, clock)
        self.history = HistoryService(log, conversations, self.conversations, limits, clock)
        self.receipts = ReceiptService(conversations, broker, limits)

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
            "conversation:join": Handler(wire.JoinConversation, membership.join),
            "conversation:leave": Handler(wire.LeaveConversation, membership.leave),
            "member:add": Handler(wire.AddMember, membership.add),
            "member:remove": Handler(wire.RemoveMember, membership.remove),
            "member:update": Handler(wire.UpdateMember, membership.update),
            "member:list": Handler(wire.ListMembers, membership.list),
        }

    def _messages(self) -> dict[str, Handler]:
        wire, amendments, receipts = message_wire, self.amendments, self.receipts
        return {
            "message:send": Handler(wire.SendMessage, self.messages.send),
            "message:edit": Handler(wire.EditMessage, amendments.edit),
            "message:recall": Handler(wire.RecallMessage, amendments.recall),
            "message:pin": Handler(wire.PinMessage, amendments.pin),
            "reaction:set": Handler(wire.SetReaction, amendments.react),
            "history:get": Handler(wire.GetHistory, self.history.get),
            "sync": Handler(session_wire.Sync, self.history.sync),
            "receipt:delivered": Handler(receipt_wire.Receipt, receipts.delivered),
            "receipt:read": Handler(receipt_wire.Receipt, receipts.read),
        }

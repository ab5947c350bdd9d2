"""The report queue: members fill it, administrators work it off."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from signaling import ids, topics
from signaling.audit.trail import actor_of
from signaling.errors import Refused
from signaling.model import AuditEntry, Event, Identity
from signaling.moderation.ban import Bans, Tell, silently
from signaling.moderation.report import Report, ReportStore, view
from signaling.ports import Broker, Clock, Conversations, Hint, Log
from signaling.protocol.conversations import BanMember, RemoveMember, UpdateMember
from signaling.protocol.messages import RecallMessage
from signaling.protocol.moderation import ListReports, ReportMessage, ResolveReport
from signaling.services import rules
from signaling.services.amendments import AmendmentService
from signaling.services.banning import FOREVER_MS, BanService
from signaling.services.membership import MembershipService

CLAIM_MS = 60_000
"""Longer than any act takes. A claim whose node died ends with it, and another may act."""

Act = Callable[[Identity, Report, ResolveReport], Awaitable[object]]


class ReportService:
    """Answers `message:report` and `report:*`."""

    def __init__(
        self,
        reports: ReportStore,
        log: Log,
        conversations: Conversations,
        broker: Broker,
        bans: Bans,
        clock: Clock,
    ) -> None:
        # passed in
        self._reports = reports
        self._log = log
        self._conversations = conversations
        self._broker = broker
        self._bans = bans
        self._clock = clock
        # filled at composition
        self.acts: dict[str, Act] = {}
        self.tell: Tell = silently

    def act_through(
        self, amendments: AmendmentService, membership: MembershipService, bans: BanService
    ) -> None:
        """What `report:resolve` may do, by the services that do it for everybody."""
        acting = _Acting(amendments, membership, bans, self._bans)
        self.acts = {
            "recall": acting.recall,
            "mute": acting.mute,
            "kick": acting.kick,
            "ban": acting.ban,
            "suspend": acting.suspend,
        }

    async def report(self, who: Identity, request: ReportMessage) -> dict[str, Any]:
        """`message:report`; again gives the first one. Raises Refused: not_found, bad_request."""
        event = await self._seen(who, request)
        if event.sender == who.user:
            raise Refused("bad_request", "that is your own message")
        names = ("kind", "body", "sender_name")
        kept = {name: event.data[name] for name in names if name in event.data}
        report, fresh = await self._reports.put(
            Report(
                id=ids.new("rep"),
                app=who.app,
                conversation=event.conversation,
                seq=event.seq,
                sender=event.sender,
                reporter=who.user,
                reason=request.reason,
                snapshot=msgspec.json.encode({**kept, "at": event.at}).decode(),
                at=self._clock(),
            )
        )
        if fresh:
            await self._told(report, "report:created")
        return {"report": report.id, "duplicate": not fresh}

    async def _seen(self, who: Identity, request: ReportMessage) -> Event:
        page = await self._log.history(
            who.app, request.conversation, who.user, after=request.seq - 1, limit=1
        )
        if page is None:
            raise Refused("not_found", "no such conversation")
        event = page.events[0] if page.events else None
        found = event if event is not None and event.seq == request.seq else None
        return rules.visible_message(found, page.member)

    async def list(self, who: Identity, request: ListReports) -> dict[str, Any]:
        """`report:list`, the newest first. Raises Refused: not_found, forbidden."""
        conversation = None
        if request.conversation is not None:
            conversation = await self._moderated(who, request.conversation)
        elif not who.grants.admin:
            raise Refused("forbidden", "name a conversation that you are an admin of")
        found = await self._reports.page(
            who.app, conversation, request.state, request.before, request.limit
        )
        following = found[-1].id if len(found) == request.limit else None
        return {"reports": [view(report) for report in found], "next": following}

    async def resolve(self, who: Identity, request: ResolveReport) -> dict[str, Any]:
        """`report:resolve`: claim, act, close. Raises Refused: not_found, forbidden, conflict."""
        report = await self._reports.get(who.app, request.report)
        if report is None:
            raise Refused("not_found", "no such report")
        await self._moderated(who, report.conversation, hidden="no such report")
        if report.state != "open":
            raise Refused("conflict", "this report has been resolved")
        now = self._clock()
        if not await self._reports.claim(who.app, report.id, now, now + CLAIM_MS):
            raise Refused("conflict", "somebody else is resolving this report")
        done: Report | None = None
        try:
            act = self.acts.get(request.action)
            if act is not None:
                await act(who, report, request)
            done = await self._closed(who, report, request)
        finally:
            if done is None:
                await self._reports.release(report.id)
        await self._told(done, "report:resolved")
        return {"report": view(done)}

    async def _closed(self, who: Identity, report: Report, request: ResolveReport) -> Report:
        now, by = self._clock(), actor_of(who)
        done = replace(
            report,
            state="resolved",
            action=request.action,
            resolved_by=by,
            resolved_at=now,
            note=request.note,
            snapshot=None,
        )
        entry = AuditEntry(
            app=who.app,
            at=now,
            actor=by,
            action="report:resolved",
            subject=report.id,
            details={"action": request.action, "user": report.sender, "note": request.note},
        )
        if not await self._reports.resolve(done, entry):
            raise Refused("conflict", "this report has been resolved")
        return done

    async def _moderated(
        self, who: Identity, key: str, hidden: str = "no such conversation"
    ) -> str:
        found = await self._conversations.get(who.app, key)
        if found is None:
            raise Refused("not_found", hidden)
        if not who.grants.admin:
            member = await self._conversations.member(found.id, who.user)
            if member is None:
                raise Refused("not_found", hidden)
            rules.may_moderate(who, found, member)
        return found.id

    async def _told(self, report: Report, event: str) -> None:
        """Sockets of the app's administrators, and webhooks; without what was said."""
        data = {**view(report)}
        data.pop("message")
        await self._broker.publish(topics.admins(report.app), Hint(event=event, data=data))
        await self.tell(report.app, event, report.id, data)


class _Acting:
    """A report's `action`, carried out as the one who resolves it."""

    def __init__(
        self,
        amendments: AmendmentService,
        membership: MembershipService,
        bans: BanService,
        app_bans: Bans,
    ) -> None:
        self._amendments = amendments
        self._membership = membership
        self._bans = bans
        self._app_bans = app_bans

    async def recall(self, who: Identity, report: Report, request: ResolveReport) -> None:
        taken = RecallMessage(conversation=report.conversation, seq=report.seq)
        await self._amendments.recall(who, taken)

    async def mute(self, who: Identity, report: Report, request: ResolveReport) -> None:
        until = FOREVER_MS if request.until is None else request.until
        await self._membership.update(
            who,
            UpdateMember(conversation=report.conversation, user=report.sender, muted_until=until),
        )

    async def kick(self, who: Identity, report: Report, request: ResolveReport) -> None:
        gone = RemoveMember(conversation=report.conversation, user=report.sender)
        await self._membership.remove(who, gone)

    async def ban(self, who: Identity, report: Report, request: ResolveReport) -> None:
        banned = BanMember(
            conversation=report.conversation, user=report.sender, until=request.until
        )
        await self._bans.ban(who, banned)

    async def suspend(self, who: Identity, report: Report, request: ResolveReport) -> None:
        if not who.grants.admin:
            raise Refused("forbidden", "only the app's administrators suspend a user")
        reason = request.note or report.reason
        await self._app_bans.ban(who.app, report.sender, request.until, reason, actor_of(who))

"""Makes a platform forget a User. Logs keep their order and their numbers; what was said is gone.

What is left: the user's id, as the sender of events without a body.
"""

from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace

from signaling import topics
from signaling.model import Change, Grants, Identity, Member, Scene
from signaling.ports import BlobStore, Broker, Clock, Conversations, Hint
from signaling.privacy.export import Counting
from signaling.privacy.job import Job
from signaling.privacy.personal import PersonalData
from signaling.privacy.worker import Keep
from signaling.services.announce import Announcer
from signaling.services.creating import draft
from signaling.services.file_bytes import FileBytes
from signaling.services.file_record import FileRecords

PAGE = 100

Also = Callable[[str, str], Awaitable[None]]
"""Another store's own forgetting of (app, user); must bear repeating."""


class Erase:
    """Signs the User out, leaves their groups, blanks messages, deletes files, drops the rest."""

    def __init__(
        self,
        personal: PersonalData,
        conversations: Conversations,
        records: FileRecords,
        blobs: BlobStore,
        broker: Broker,
        clock: Clock,
        also: Sequence[Also] = (),
    ) -> None:
        # passed in
        self._personal = personal
        self._conversations = conversations
        self._broker = broker
        self._clock = clock
        self._also = also
        # made here
        self._announcer = Announcer(broker)
        self._bytes = FileBytes(records, blobs)

    async def run(self, job: Job, keep: Keep) -> Job:
        """See Work."""
        count = Counting(keep)
        await self._sign_out(job)
        await self._leave(job, count)
        await self._messages(job, count)
        await self._files(job, count)
        for also in self._also:
            await also(job.app, job.user)
        await self._personal.forget(job.app, job.user)
        return replace(job, items=count.items)

    async def _sign_out(self, job: Job) -> None:
        hint = Hint(event="session:revoked", data={"reason": "erased"})
        await self._broker.publish(topics.user(job.app, job.user), hint)

    async def _leave(self, job: Job, count: Counting) -> None:
        after = ""
        while page := await self._personal.memberships(job.app, job.user, after, PAGE):
            for seat in page:
                if seat.conversation.type != "direct" and seat.member.left_at is None:
                    await self._leave_one(job, seat.conversation.id)
            await count.more(0)
            after = page[-1].conversation.id

    async def _leave_one(self, job: Job, conversation: str) -> None:
        who, now = _themselves(job), self._clock()

        def decide(scene: Scene) -> Change:
            member = scene.members.get(job.user)
            if member is None or member.left_at is not None:
                return Change()
            return _leaving(who, scene, member, now)

        decided = await self._conversations.decide(job.app, conversation, [job.user], decide)
        await self._announcer.events(decided.conversation, decided.events)

    async def _messages(self, job: Job, count: Counting) -> None:
        after: str | None = ""
        while after is not None:
            page = await self._personal.blank(job.app, job.user, after, PAGE, self._clock())
            await count.more(len(page.events))
            after = page.next

    async def _files(self, job: Job, count: Counting) -> None:
        while page := await self._personal.files(job.app, job.user, "", PAGE):
            for file in page:
                await self._bytes.forget(file)
            await count.more(len(page))


def _leaving(who: Identity, scene: Scene, member: Member, now: int) -> Change:
    data = {"user": member.user, "role": member.role, "reason": "erased"}
    gone = replace(member, left_at=now, left_seq=scene.conversation.head + 1)
    event = draft(who, scene.conversation, "member:left", data, now)
    return Change(members=(gone,), drafts=(event,))


def _themselves(job: Job) -> Identity:
    return Identity(
        app=job.app,
        user=job.user,
        device="",
        connection="",
        name=job.user,
        grants=Grants(),
        expires_at=0,
    )

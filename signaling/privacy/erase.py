"""Makes a platform forget a User. Logs keep their order and their numbers; what was said is gone.

What is left: the user's id, as the sender of events without a body.
"""

from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace

from signaling import topics
from signaling.errors import Refused
from signaling.model import APP_USER, Change, Draft, Grants, Identity, Member, Scene
from signaling.ports import BlobStore, Broker, Clock, Conversations, Hint
from signaling.privacy.export import Counting
from signaling.privacy.job import Job, Jobs, archive_of
from signaling.privacy.personal import Membership, PersonalData
from signaling.privacy.worker import Keep
from signaling.services.announce import Announcer
from signaling.services.creating import draft
from signaling.services.file_bytes import FileBytes
from signaling.services.file_record import FileRecords

PAGE = 100
PASSES_MAX = 5
"""Over the User's messages."""

Also = Callable[[str, str], Awaitable[None]]
"""Another store's own forgetting of (app, user); must bear repeating."""


SignOut = Callable[[str, str], Awaitable[None]]
"""Takes back every token of (app, user) issued so far, and cuts their sockets on every node."""


class Erase:
    """Signs the User out, leaves their groups, blanks messages, deletes files, drops the rest."""

    def __init__(
        self,
        personal: PersonalData,
        conversations: Conversations,
        records: FileRecords,
        jobs: Jobs,
        blobs: BlobStore,
        broker: Broker,
        sign_out: SignOut,
        clock: Clock,
        also: Sequence[Also] = (),
    ) -> None:
        # passed in
        self._personal = personal
        self._conversations = conversations
        self._jobs = jobs
        self._blobs = blobs
        self._broker = broker
        self._sign_out = sign_out
        self._clock = clock
        self._also = also
        # made here
        self._announcer = Announcer(broker)
        self._bytes = FileBytes(records, blobs)

    async def run(self, job: Job, keep: Keep) -> Job:
        """See Work. The doors first: what came in after its table was cleared would stay."""
        count = Counting(keep)
        await self._shut(job)
        await self._archives(job)
        await self._leave(job, count)
        await self._files(job, count)
        await self._messages(job, count)
        for also in self._also:
            await also(job.app, job.user)
        await self._archives(job)
        await self._personal.forget(job.app, job.user)
        return replace(job, items=count.items)

    async def _shut(self, job: Job) -> None:
        hint = Hint(event="session:revoked", data={"reason": "erased"})
        await self._broker.publish(topics.user(job.app, job.user), hint)
        await self._sign_out(job.app, job.user)
        await self._personal.unschedule(job.app, job.user)

    async def _archives(self, job: Job) -> None:
        """Exports made for the User, and those under way."""
        await self._jobs.call_off(job.app, job.user, "the user was erased", self._clock())
        for made in await self._jobs.exports(job.app, job.user):
            attempts = range(1, made.attempts + 1)  # one that ended early may have left its own
            for key in (made.result, *(archive_of(made, attempt) for attempt in attempts)):
                if key is not None:
                    await self._blobs.delete(key)
            await self._jobs.forget_result(made.id)

    async def _leave(self, job: Job, count: Counting) -> None:
        after = ""
        while page := await self._personal.memberships(job.app, job.user, after, PAGE):
            for seat in page:
                if seat.conversation.type != "direct" and seat.member.left_at is None:
                    await self._leave_one(job, seat)
            await count.more(0)
            after = page[-1].conversation.id

    async def _leave_one(self, job: Job, seat: Membership) -> None:
        now, name = self._clock(), seat.conversation.id
        heir = None
        if seat.member.role == "owner":
            heir = await self._personal.heir(name, job.user)

        def decide(scene: Scene) -> Change:
            member = scene.members.get(job.user)
            if member is None or member.left_at is not None:
                return Change()
            return _leaving(scene, member, scene.members.get(heir or ""), now)

        users = [user for user in (job.user, heir) if user is not None]
        decided = await self._conversations.decide(job.app, name, users, decide)
        await self._announcer.events(decided.conversation, decided.events)

    async def _messages(self, job: Job, count: Counting) -> None:
        """Again until nothing is left: what was on its way when the doors closed came later."""
        for _ in range(PASSES_MAX):
            if not await self._pass(job, count):
                return

    async def _pass(self, job: Job, count: Counting) -> bool:
        after: str | None = ""
        before = count.items
        while after is not None:
            page = await self._personal.blank(job.app, job.user, after, PAGE, self._clock())
            await count.more(len(page.events))
            after = page.next
        return count.items > before

    async def _files(self, job: Job, count: Counting) -> None:
        while page := await self._personal.files(job.app, job.user, "", PAGE):
            for file in page:
                await self._bytes.forget(file)
            await count.more(len(page))


def _leaving(scene: Scene, member: Member, heir: Member | None, now: int) -> Change:
    """The last owner hands on: first the new owner, so that there always is one."""
    drafts: list[Draft] = []
    members: list[Member] = []
    if member.role == "owner" and scene.owners == 1 and heir is not None:
        if heir.left_at is not None:
            raise Refused("unavailable", "the new owner has just left: another is to be found")
        given = {"user": heir.user, "role": "owner"}
        drafts.append(draft(_APP, scene.conversation, "member:updated", given, now))
        members.append(replace(heir, role="owner"))
    data = {"user": member.user, "role": member.role, "reason": "erased"}
    drafts.append(draft(_APP, scene.conversation, "member:left", data, now))
    left_seq = scene.conversation.head + len(drafts)
    members.append(replace(member, left_at=now, left_seq=left_seq))
    return Change(members=tuple(members), drafts=tuple(drafts))


_APP = Identity(
    app="",
    user=APP_USER,
    device="",
    connection="",
    name=APP_USER,
    grants=Grants(),
    expires_at=0,
)
"""Who does it: whoever is erased was not active by it."""

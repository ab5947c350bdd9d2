"""Who may offer, read and give up a file."""

from typing import Protocol

from signaling.errors import Refused
from signaling.model import Conversation, Event, Identity, Member
from signaling.services.file_record import File, FileRecords


class Members(Protocol):
    """Who is in a Conversation."""

    async def get(self, app: str, conversation: str) -> Conversation | None:
        """By id or alias."""

    async def member(self, conversation: str, user: str) -> Member | None:
        """One who has not left."""


class Messages(Protocol):
    """The messages that files were posted as."""

    async def get(self, conversation: str, seq: int) -> Event | None:
        """One event."""


class Posting(Protocol):
    """Writing into a Conversation, with the rules of any message."""

    async def may_write(self, who: Identity, conversation: str) -> None:
        """Raises Refused: not_found, forbidden."""

    async def post(self, file: File, conversation: str, body: dict[str, object]) -> int:
        """Append a message of kind `file` as who offered it, and publish it, once; its seq.

        Raises Refused.
        """


class FileRooms(Protocol):
    """Rooms, as far as files need them."""

    async def present(self, who: Identity, room: str) -> bool:
        """Whether this User is in a standalone Room."""

    async def send_file(self, who: Identity, file: str, offset: int) -> bool:
        """Open `file:<file>` towards this Device; False when it is in no Room."""


class FileRights:
    """Raises Refused for what is not allowed; a file one may not read does not exist."""

    def __init__(
        self,
        records: FileRecords,
        members: Members,
        messages: Messages,
        posting: Posting,
        rooms: FileRooms,
    ) -> None:
        # passed in
        self._records = records
        self._members = members
        self._messages = messages
        self._posting = posting
        self._rooms = rooms

    async def may_offer(
        self, who: Identity, conversation: str | None, room: str | None
    ) -> str | None:
        """The id of the Conversation, which may be named by its alias; None for a Room.

        Raises Refused: bad_request, forbidden, not_found.
        """
        if not who.grants.files:
            raise Refused("forbidden", "the token does not allow files")
        if (conversation is None) == (room is None):
            raise Refused("bad_request", "name a conversation or a room")
        if conversation is not None:
            return await self._conversation(who, conversation)
        if room is not None and not await self._rooms.present(who, room):
            raise Refused("not_found", "no such room")
        return None

    async def _conversation(self, who: Identity, name: str) -> str:
        found = await self._members.get(who.app, name)
        if found is None:
            raise Refused("not_found", "no such conversation")
        await self._posting.may_write(who, found.id)
        return found.id

    async def readable(self, who: Identity, file: str) -> File:
        """A file this User may read. Raises Refused not_found."""
        found = await self._records.get(file)
        if found is None or not await self.may_read(who, found) or await self.withdrawn(found):
            raise Refused("not_found", "no such file")
        return found

    async def withdrawn(self, file: File) -> bool:
        """Whether its message was recalled, has expired or was erased: so is the file then."""
        if file.conversation is None or file.seq is None:
            return False
        message = await self._messages.get(file.conversation, file.seq)
        return message is None or message.data.get("body") is None

    async def own(self, who: Identity, file: str) -> File:
        """A file this User offered. Raises Refused: forbidden when someone else did."""
        found = await self.readable(who, file)
        if found.sender != who.user:
            raise Refused("forbidden", "someone else offered this file")
        return found

    async def may_read(self, who: Identity, file: File) -> bool:
        """The sender, members who may see the message, Participants of its Room."""
        if file.app != who.app:
            return False
        if file.sender == who.user:
            return True
        if file.conversation is None:
            return file.room is not None and await self._rooms.present(who, file.room)
        member = await self._members.member(file.conversation, who.user)
        return member is not None and (file.seq is None or file.seq >= member.from_seq)

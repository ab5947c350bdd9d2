"""Files write into conversations as their sender, with the rules of any message."""

from typing import Any

from signaling.model import Grants, Identity
from signaling.ports import Users
from signaling.services.file_record import File
from signaling.services.messages import MessageService

DEVICE = "files"


class FilePosting:
    """The `Posting` of files, on the message service."""

    def __init__(self, messages: MessageService, users: Users) -> None:
        # passed in
        self._messages = messages
        self._users = users

    async def may_write(self, who: Identity, conversation: str) -> None:
        """Raises Refused: not_found, forbidden."""
        await self._messages.may_write(who, conversation)

    async def post(self, file: File, conversation: str, body: dict[str, Any]) -> int:
        """The message's seq. Raises Refused."""
        names = await self._users.names(file.app, [file.sender])
        who = Identity(
            app=file.app,
            user=file.sender,
            device=DEVICE,
            connection="",
            name=names.get(file.sender) or file.sender,
            # What it was offered with: an upload is not refused after its last byte.
            grants=Grants(admin=file.admin),
            expires_at=0,
        )
        event = await self._messages.post(who, conversation, file.client_id, "file", body)
        return event.seq

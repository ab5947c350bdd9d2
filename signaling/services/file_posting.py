"""Files write into conversations as their sender, with the rules of any message."""

from typing import Any

from signaling.model import Grants, Identity
from signaling.ports import Users
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

    async def post(
        self,
        app: str,
        sender: str,
        conversation: str,
        client_id: str,
        kind: str,
        body: dict[str, Any],
    ) -> int:
        """The message's seq. Raises Refused."""
        names = await self._users.names(app, [sender])
        who = Identity(
            app=app,
            user=sender,
            device=DEVICE,
            connection="",
            name=names.get(sender) or sender,
            grants=Grants(),
            expires_at=0,
        )
        event = await self._messages.post(who, conversation, client_id, kind, body)
        return event.seq

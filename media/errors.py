"""What the SFU's front door raises when a caller, or the far end, is wrong."""


class MediaError(Exception):
    """A request the SFU refuses.

    `code` is one of the stable words of the wire protocol (`bad_request`, `not_found`, `conflict`,
    `unsupported`, `forbidden`, `too_large`, `unavailable`, `timeout`); `message` is for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

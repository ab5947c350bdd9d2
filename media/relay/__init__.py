"""What data channels carry: files to and from a FileStore, and the Room's application messages."""

from media.relay.files import Download, FileStore, Upload
from media.relay.relay import Relay

__all__ = ["Download", "FileStore", "Relay", "Upload"]

"""What the services need from outside, as small Protocols, each with the guarantee it gives.

Adapters live in `signaling.adapters`; one contract suite in tests/contract runs on every one of
them.
"""

from signaling.ports.apps import Apps
from signaling.ports.blobs import BlobStore
from signaling.ports.broker import Broker, Hint
from signaling.ports.calls import LiveCall, LiveCalls
from signaling.ports.clock import Clock
from signaling.ports.connections import Connections, Hooks, Remote
from signaling.ports.conversations import Conversations, Decide
from signaling.ports.invites import Invites
from signaling.ports.log import Allow, End, Gap, Log, Missed
from signaling.ports.nodes import NodeRegistry
from signaling.ports.presence import PresenceManager
from signaling.ports.search import Search
from signaling.ports.seats import Claim, Ledger, Seats, Told
from signaling.ports.users import Users
from signaling.ports.waiting import Waiting

__all__ = [
    "Allow",
    "Apps",
    "BlobStore",
    "Broker",
    "Claim",
    "Clock",
    "Connections",
    "Conversations",
    "Decide",
    "End",
    "Gap",
    "Hint",
    "Hooks",
    "Invites",
    "Ledger",
    "LiveCall",
    "LiveCalls",
    "Log",
    "Missed",
    "NodeRegistry",
    "PresenceManager",
    "Remote",
    "Search",
    "Seats",
    "Told",
    "Users",
    "Waiting",
]

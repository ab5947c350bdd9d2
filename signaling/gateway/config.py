"""What can be set about the Socket.IO edge."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig:
    """Times, sizes and counts of one gateway. The defaults suit browsers on the open internet."""

    ping_interval_ms: int = 25_000
    """From a PONG to the next PING."""
    ping_timeout_ms: int = 20_000
    """From a PING to its PONG, else the socket is closed with `ping timeout`."""
    connect_timeout_ms: int = 5_000
    """From the socket's opening to an accepted CONNECT."""
    upgrade_timeout_ms: int = 10_000
    """From a WebSocket's probe to the end of the upgrade."""
    request_timeout_ms: int = 10_000
    """One step of `Hooks`: authenticate, opened, a request, closed."""
    body_timeout_ms: int = 10_000
    """For the body of one polling POST to arrive."""
    max_packet_bytes: int = 1_000_000
    """One incoming message, or one polling POST."""
    max_queue_bytes: int = 1024 * 1024
    """Outgoing bytes waiting for one socket before it is cut as `slow_consumer`."""
    volatile_mark_bytes: int = 64 * 1024
    """Outgoing bytes waiting above which volatile events are dropped."""
    io_uring: bool = True
    """Write to many sockets in one system call, where the kernel allows it."""
    max_depth: int = 32
    """Nesting of arrays and objects in one packet."""
    max_containers: int = 10_000
    """Arrays and objects in one packet."""
    max_attachments: int = 10
    """Binary attachments of one packet."""
    max_fragments: int = 1024
    """WebSocket frames one message may be cut into."""
    max_packets_per_post: int = 256
    max_pending_requests: int = 64
    """Requests of one Connection waiting for their turn before its socket is not read any more."""
    max_connections_per_address: int = 1_000
    max_connections_per_user: int = 50
    origins: tuple[str, ...] = ()
    """Allowed Origin headers; empty means the server's own. `*` allows any."""
    public_url: str = ""
    """Where browsers find this server behind a proxy; http.public_url if empty. Its own pages too.
    """
    drain_ms: int = 5_000
    """Over which the sockets are closed, in waves, when the node goes away."""
    drain_flush_ms: int = 5_000
    """For requests in flight to be answered before that."""
    drain_retry_ms: tuple[int, int] = (500, 10_000)
    """`server:drain` tells every client a time between these."""

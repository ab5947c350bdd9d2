"""The socket in batches: what goes in comes out, whole, in order, also when the kernel is full."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import pytest

from media.drops import DropReason, Drops
from media.net.address import decode, encode, sockaddr_tuple
from media.net.arena import SLOT_BYTES, Arena
from media.net.egress import MAX_BACKLOG, Destination, Egress
from media.net.udp import UdpPort, open_socket
from media.net.udp_linux import LinuxSender
from media.net.udp_plain import PlainSender

BOTH = pytest.mark.parametrize("batched", [True, False], ids=["batched", "plain"])


def _write(egress: Egress, slot: int, data: bytes) -> None:
    egress.view[slot * SLOT_BYTES : slot * SLOT_BYTES + len(data)] = data
    egress.lengths[slot] = len(data)


Peer = tuple[socket.socket, Destination]


@pytest.fixture
def peer() -> Iterator[Peer]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(60)
        yield made, Destination(encode(socket.AF_INET, *made.getsockname()))


Ports = Callable[..., UdpPort]


@pytest.fixture
async def opens() -> AsyncIterator[Ports]:
    """`opens("127.0.0.1", on_batch)`: a port that is closed at the end."""
    with ExitStack() as stack:

        def opens(
            host: str,
            on_batch: Callable[[int], None] = lambda _count: None,
            drops: Drops | None = None,
            *,
            batched: bool = True,
        ) -> UdpPort:
            port = UdpPort(open_socket(host, 0), drops or Drops(), on_batch, batched=batched)
            stack.callback(port.close)
            return port

        yield opens


@BOTH
async def test_a_batch_is_received_with_lengths_and_senders(
    batched: bool, peer: Peer, opens: Ports
) -> None:
    got: list[tuple[bytes, tuple[str, int]]] = []
    done = asyncio.Event()

    def on_batch(count: int) -> None:
        for slot in range(count):
            size = port.receiver.lengths[slot]
            data = bytes(port.ingress.view[slot * SLOT_BYTES : slot * SLOT_BYTES + size])
            got.append((data, decode(port.receiver.address(slot))))
            assert not port.receiver.truncated(slot)
        if len(got) == 100:
            done.set()

    port = opens("127.0.0.1", on_batch, batched=batched)
    for number in range(100):
        peer[0].sendto(bytes([number]) * number, ("127.0.0.1", port.port))
    async with asyncio.timeout(60):
        await done.wait()
    assert got == [(bytes([n]) * n, peer[0].getsockname()) for n in range(100)]


@BOTH
async def test_runs_of_one_size_and_what_follows_arrive_as_single_packets(
    batched: bool, peer: Peer, opens: Ports
) -> None:
    port, (sock, destination) = opens("127.0.0.1", batched=batched), peer
    sizes = [1000] * 70 + [999, 500, 500, 1200, 1, 1, 2]
    sent = [bytes([number % 256]) * size for number, size in enumerate(sizes)]
    egress = port.egress
    slot = egress.room(len(sent))
    for data in sent:
        _write(egress, slot, data)
        slot += 1
    egress.commit(destination, slot)
    egress.flush()
    assert [sock.recv(4096) for _ in sent] == sent
    assert egress.sent_packets == len(sent)
    assert egress.sent_bytes == sum(sizes)


async def test_a_datagram_that_does_not_fit_is_dropped_and_counted(
    peer: Peer, opens: Ports
) -> None:
    drops, (_, destination) = Drops(), peer
    port = opens("127.0.0.1", drops=drops)
    port.send(destination, bytes(1601))
    port.send(destination, b"")
    assert drops.counts[DropReason.TOO_LARGE] == 2
    port.close()
    port.close()
    port.send(destination, b"after the end")


class FullSender(PlainSender):
    """A socket that takes `space` datagrams and then is full."""

    space = 3

    def send(self, start: int, end: int) -> tuple[int, int]:
        taken = min(self.space, end - start)
        self.space -= taken
        return taken, 0 if taken == end - start else errno.EAGAIN

    def send_one(self, datagram: bytes, destination: Destination) -> int:
        if not self.space:
            return errno.EAGAIN
        self.space -= 1
        self.sent.append(datagram)
        return 0

    def __init__(self, sock: socket.socket, arena: Arena) -> None:
        super().__init__(sock, arena)
        self.sent: list[bytes] = []


def test_a_full_socket_keeps_a_bounded_backlog_in_order(peer: Peer) -> None:
    sock, destination = peer
    arena, drops, asked = Arena(64), Drops(), []
    sender = FullSender(sock, arena)
    egress = Egress(arena, sender, drops, lambda: asked.append(True))
    for number in range(5):
        egress.put(destination, b"%d" % number)
    egress.flush()
    assert asked
    egress.put(destination, b"5")  # behind what waits, though there may be room again
    egress.flush()
    assert not egress.drain_backlog()
    sender.space = 10
    assert egress.drain_backlog()
    assert sender.sent == [b"3", b"4", b"5"]
    sender.space = 0
    for _ in range(MAX_BACKLOG + 7):
        egress.put(destination, b"x")
        egress.flush()
    assert drops.counts[DropReason.EGRESS_FULL] == 7


class RefusingSender(LinuxSender):
    """A device that cannot split messages (no checksum offload)."""

    def send(self, start: int, end: int) -> tuple[int, int]:
        if self.segmentation:
            return 0, errno.EIO
        return super().send(start, end)


def test_a_device_without_segmentation_gets_single_packets_from_then_on(peer: Peer) -> None:
    receiver, destination = peer
    arena, drops = Arena(64), Drops()
    with open_socket("127.0.0.1", 0) as sock:
        egress = Egress(arena, RefusingSender(sock.fileno(), arena), drops, lambda: None)
        for _round in range(2):
            slot = egress.room(4)
            for number in range(4):
                _write(egress, slot + number, bytes([number]) * 100)
            egress.commit(destination, slot + 4)
            egress.flush()
    assert [receiver.recv(200)[0] for _ in range(8)] == [0, 1, 2, 3] * 2
    assert not egress.sender.segmentation
    assert drops.as_dict() == {}


@pytest.mark.parametrize(
    ("family", "host"),
    [(socket.AF_INET, "192.0.2.7"), (socket.AF_INET6, "192.0.2.7"), (socket.AF_INET6, "fd00::7")],
)
def test_addresses_survive_their_kernel_form(family: int, host: str) -> None:
    raw = encode(family, host, 54321)
    assert decode(raw) == (host, 54321)
    assert sockaddr_tuple(raw)[1] == 54321


@pytest.mark.parametrize("host", ["", "localhost", "1.2.3", "1.2.3.4.5", "::1::", "x:"])
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_what_is_no_address_is_refused(family: int, host: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        encode(family, host, 1)


async def test_one_socket_serves_both_families(opens: Ports) -> None:
    got: list[tuple[str, int]] = []
    done = asyncio.Event()

    def on_batch(count: int) -> None:
        got.extend(decode(port.receiver.address(slot)) for slot in range(count))
        if len(got) == 2:
            done.set()

    port = opens("", on_batch)
    if port.family != socket.AF_INET6:
        pytest.skip("no IPv6 on this machine")
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"hello", (host, port.port))
    async with asyncio.timeout(60):
        await done.wait()
    assert {host for host, _port in got} == {"127.0.0.1", "::1"}

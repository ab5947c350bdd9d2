"""One system call for many sockets: real sockets, the kernel's own io_uring."""

import errno
import socket
from array import array
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from signaling.gateway.ring import ENTRIES, MAX_FRAME_BYTES, Ring

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def ring() -> Iterator[Ring]:
    made = Ring.open()
    if made is None:
        pytest.skip("the kernel keeps io_uring from us")
    yield made
    made.close()


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    with ExitStack() as stack:
        made = [socket.socketpair() for _ in range(40)]
        for pair in made:
            for end in pair:
                stack.enter_context(end)
                end.setblocking(False)
        yield made


def descriptors(pairs: list[Pair]) -> "array[int]":
    return array("i", [ours.fileno() for ours, _ in pairs])


def fill(sock: socket.socket) -> None:
    with suppress(BlockingIOError):
        while True:
            sock.send(bytes(MAX_FRAME_BYTES))


def test_everyone_gets_every_frame_in_order_also_round_the_end_of_the_ring(
    ring: Ring, pairs: list[Pair]
) -> None:
    for n in range(3 * ENTRIES // len(pairs)):
        frame = b"%d" % n * (n + 1)
        assert ring.send(descriptors(pairs), frame) == {}
        assert {theirs.recv(MAX_FRAME_BYTES) for _, theirs in pairs} == {frame}


def test_who_does_not_take_it_all_is_named_with_what_it_took(ring: Ring, pairs: list[Pair]) -> None:
    full, broken, gone = pairs[3][0], pairs[5], pairs[7][0]
    fill(full)
    broken[1].close()
    sockets = descriptors(pairs)
    gone.close()
    refusals = {3: -errno.EAGAIN, 5: -errno.EPIPE, 7: -errno.EBADF}
    for _ in range(3 * ENTRIES // len(pairs)):
        assert ring.send(sockets, b"hello") == refusals
    for n, (_, theirs) in enumerate(pairs):
        if n not in refusals:
            assert theirs.recv(MAX_FRAME_BYTES).startswith(b"hello")


def test_what_goes_in_part_is_told_in_bytes(ring: Ring) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect(server.getsockname())
        ours, _ = server.accept()
        with ours:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            ours.setblocking(False)
            sent = 0
            while not (short := ring.send(array("i", [ours.fileno()]), b"x" * MAX_FRAME_BYTES)):
                sent += MAX_FRAME_BYTES
            sent += max(short[0], 0)
            ours.close()
            received = 0
            while data := client.recv(MAX_FRAME_BYTES):
                received += len(data)
    assert short[0] == -errno.EAGAIN or 0 < short[0] < MAX_FRAME_BYTES
    assert received == sent


def test_a_frame_that_does_not_fit_is_refused(ring: Ring, pairs: list[Pair]) -> None:
    with pytest.raises(ValueError):
        ring.send(descriptors(pairs), bytes(MAX_FRAME_BYTES + 1))

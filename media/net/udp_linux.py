"""recvmmsg and sendmmsg with UDP segmentation, through cffi in ABI mode: nothing to compile.

The C structures are laid out for 64-bit Linux; `supported` says whether this is one.
"""

import socket
import struct
import sys
from typing import Any, Final

from media.net.arena import SLOT_BYTES, Arena, counters, ffi
from media.net.egress import Destination

BATCH: Final = 64
_MMSGHDR = struct.Struct("=QIIQQQQIIII")
"""struct mmsghdr: name, namelen, pad, iov, iovlen, control, controllen, flags, pad, len, pad."""
_MMSGHDR_SET = struct.Struct("=QIIQQQQ")
"""The part of it that differs from message to message."""
_IOVEC = struct.Struct("=QQ")
_CMSG = struct.Struct("=QiiH6x")
"""struct cmsghdr with a u16: len, level, type, value, padding to 8 bytes."""
_CMSG_LEN: Final = 18
_SOL_UDP: Final = 17
_UDP_SEGMENT: Final = 103
_MSG_DONTWAIT: Final = 0x40
_MSG_TRUNC: Final = 0x20
_NAME_BYTES: Final = 32
_SO_TIMESTAMPNS: Final = 35
_CONTROL_BYTES: Final = 64
_TIMESPEC = struct.Struct("=qq")
_CMSG_HEADER_BYTES: Final = 16
_MAX_AGE_S: Final = 1.0
"""A datagram that seems to have waited longer met a clock that was set."""

ffi.cdef(
    """
    int recvmmsg(int fd, void *messages, unsigned int count, int flags, void *timeout);
    int sendmmsg(int fd, void *messages, unsigned int count, int flags);
    """
)


def supported() -> bool:
    """64-bit Linux on a little- or big-endian machine whose pointers are 8 bytes."""
    return sys.platform == "linux" and struct.calcsize("P") == 8


def _address_of(memory: Any) -> int:
    return int(ffi.cast("uintptr_t", memory))


class LinuxReceiver:
    """Fills an Arena of BATCH slots per system call."""

    def __init__(self, sock: socket.socket, arena: Arena) -> None:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._fd = sock.fileno()
        self._libc: Any = ffi.dlopen(None)
        self._controls: Any = ffi.new("char[]", BATCH * _CONTROL_BYTES)
        self._control_view = memoryview(ffi.buffer(self._controls)).cast("B")
        self._skew = 0.0
        self._names: Any = ffi.new("char[]", BATCH * _NAME_BYTES)
        self._vectors: Any = ffi.new("char[]", BATCH * _IOVEC.size)
        self._headers: Any = ffi.new("char[]", BATCH * _MMSGHDR.size)
        self._name_view = memoryview(ffi.buffer(self._names)).cast("B")
        self._prepare(arena)
        words = memoryview(ffi.buffer(self._headers)).cast("I")
        per_header = _MMSGHDR.size // 4
        self.lengths = words[14::per_header]
        self._name_lengths = words[2::per_header]
        self._flags = words[12::per_header]
        self._header_view = memoryview(ffi.buffer(self._headers)).cast("B")
        self._fresh = bytes(self._header_view)

    def _prepare(self, arena: Arena) -> None:
        vectors, headers = ffi.buffer(self._vectors), ffi.buffer(self._headers)
        for n in range(BATCH):
            base = arena.base + n * SLOT_BYTES
            _IOVEC.pack_into(vectors, n * _IOVEC.size, base, SLOT_BYTES)
            name = _address_of(self._names) + n * _NAME_BYTES
            vector = _address_of(self._vectors) + n * _IOVEC.size
            control = _address_of(self._controls) + n * _CONTROL_BYTES
            header = (name, _NAME_BYTES, 0, vector, 1, control, _CONTROL_BYTES, 0, 0, 0, 0)
            _MMSGHDR.pack_into(headers, n * _MMSGHDR.size, *header)

    def receive(self) -> int:
        """How many datagrams now lie in slots 0.., 0 when there are none; raises OSError."""
        self._header_view[:] = self._fresh  # the kernel wrote lengths into it
        count: int = self._libc.recvmmsg(self._fd, self._headers, BATCH, _MSG_DONTWAIT, ffi.NULL)
        if count < 0:
            raise OSError(ffi.errno, "recvmmsg failed")
        return count

    def align(self, now: float, unix_now: float) -> None:
        """Before `arrived_at`: the caller's clock and the system's, read together."""
        self._skew = now - unix_now

    def arrived_at(self, slot: int, now: float) -> float:
        """When the kernel took the datagram in, by the caller's clock."""
        at = slot * _CONTROL_BYTES + _CMSG_HEADER_BYTES
        seconds, nanoseconds = _TIMESPEC.unpack_from(self._control_view, at)
        arrived = seconds + nanoseconds * 1e-9 + self._skew
        return arrived if now - _MAX_AGE_S < arrived <= now else now

    def address(self, slot: int) -> bytes:
        """The sender's sockaddr."""
        at = slot * _NAME_BYTES
        end = at + self._name_lengths[slot]
        return bytes(self._name_view[at:end])

    def truncated(self, slot: int) -> bool:
        """Whether the datagram was longer than its slot."""
        return bool(self._flags[slot] & _MSG_TRUNC)


class LinuxSender:
    """Sends an Arena's slots; message n carries the slots it was told with `message`."""

    def __init__(self, fd: int, arena: Arena) -> None:
        self._fd = fd
        self._arena = arena
        self._libc: Any = ffi.dlopen(None)
        self._vectors: Any = ffi.new("char[]", arena.slots * _IOVEC.size)
        self._headers: Any = ffi.new("char[]", arena.slots * _MMSGHDR.size)
        self._controls: Any = ffi.new("char[]", arena.slots * _CMSG.size)
        self._header_view = memoryview(ffi.buffer(self._headers)).cast("B")
        self._control_view = memoryview(ffi.buffer(self._controls)).cast("B")
        self._vector_base = _address_of(self._vectors)
        self._control_base = _address_of(self._controls)
        vectors = ffi.buffer(self._vectors)
        for n in range(arena.slots):
            _IOVEC.pack_into(vectors, n * _IOVEC.size, arena.base + n * SLOT_BYTES, 0)
        self.lengths = memoryview(vectors).cast("B").cast("Q")[1::2]
        self.counters = counters(self._vectors, 8, _IOVEC.size, arena.slots)
        self.segmentation = True

    def message(self, number: int, destination: Destination, first: int, count: int) -> None:
        """Note message `number`: `count` packets from slot `first` on to `destination`."""
        control = control_bytes = 0
        if count > 1:
            at = number * _CMSG.size
            segment = self.lengths[first]
            _CMSG.pack_into(self._control_view, at, _CMSG_LEN, _SOL_UDP, _UDP_SEGMENT, segment)
            control, control_bytes = self._control_base + at, _CMSG.size
        _MMSGHDR_SET.pack_into(
            self._header_view,
            number * 64,
            destination.name,
            destination.size,
            0,
            self._vector_base + first * 16,
            count,
            control,
            control_bytes,
        )

    def send(self, start: int, end: int) -> tuple[int, int]:
        """Send messages `start..end`: (messages done, errno of the next one or 0)."""
        at, headers, send = start, self._headers, self._libc.sendmmsg
        while at < end:
            done: int = send(self._fd, headers + at * 64, end - at, _MSG_DONTWAIT)
            if done < 0:
                return at - start, ffi.errno
            at += done
        return at - start, 0

    def send_one(self, datagram: bytes, destination: Destination) -> int:
        """Send one datagram; errno or 0."""
        data = ffi.from_buffer(datagram)
        vector = ffi.new("char[]", _IOVEC.pack(_address_of(data), len(datagram)))
        header = ffi.new(
            "char[]",
            _MMSGHDR.pack(
                destination.name, destination.size, 0, _address_of(vector), 1, 0, 0, 0, 0, 0, 0
            ),
        )
        done: int = self._libc.sendmmsg(self._fd, header, 1, _MSG_DONTWAIT)
        return ffi.errno if done < 0 else 0

"""io_uring, used for one thing: the same bytes to many sockets in a single system call.

A fan-out otherwise enters the kernel once for every member of a room. The sends never wait: each
is carried out, or refused as MSG_DONTWAIT has it, before `Ring.send` returns. io_uring_setup(2),
io_uring_enter(2) and linux/io_uring.h, through cffi in ABI mode: nothing to compile.
"""

import errno
import logging
import mmap
import os
import struct
import sys
from array import array
from typing import Any, Final, Self

import cffi

ENTRIES: Final = 512
"""Sends of one system call; a power of two."""
MAX_FRAME_BYTES: Final = 16 * 1024
"""What is longer costs more to copy than to enter the kernel for."""
_SETUP: Final = 425
_ENTER: Final = 426
"""System calls; the same numbers on every architecture."""
_SETUP_SUBMIT_ALL: Final = 1 << 7
"""A send that cannot even begin does not hold up those behind it. Linux 5.18."""
_SINGLE_MMAP: Final = 1 << 0
_OFF_SQES: Final = 0x10000000
_SEND: Final = 26
_MSG_DONTWAIT: Final = 0x40
_MSG_NOSIGNAL: Final = 0x4000
_SQE = struct.Struct("=BBHiQQIIQ24x")
"""struct io_uring_sqe: opcode, flags, ioprio, fd, off, addr, len, msg_flags, user_data."""
_NOT_NOW: Final = (errno.EAGAIN, errno.ENOMEM, errno.EINTR, errno.EBUSY)
_CQE_BYTES: Final = 16
"""struct io_uring_cqe: u64 user_data, s32 res, u32 flags."""
_PARAMS_WORDS: Final = 30
"""struct io_uring_params: ten words, and ten for where things are in either queue."""

logger = logging.getLogger(__name__)

ffi = cffi.FFI()
ffi.cdef("long syscall(long call, long a, long b, long c, long d, void *e, size_t f);")


class Ring:
    """One loop's; not for two threads."""

    __slots__ = (
        "_completed",
        "_descriptors",
        "_fd",
        "_frame",
        "_lengths",
        "_libc",
        "_names",
        "_reaped",
        "_results",
        "_submitted",
        "_words",
    )

    def __init__(self) -> None:
        """Raises OSError where the kernel has no io_uring, or keeps it from us."""
        if sys.platform != "linux" or struct.calcsize("P") != 8:
            raise OSError(errno.ENOSYS, "io_uring is laid out for 64-bit Linux")
        self._libc: Any = ffi.dlopen(None)
        params = array("I", bytes(4 * _PARAMS_WORDS))
        params[2] = _SETUP_SUBMIT_ALL
        self._fd = self._call(_SETUP, ENTRIES, params.buffer_info()[0])
        if not params[5] & _SINGLE_MMAP:
            self.close()
            raise OSError(errno.ENOSYS, "io_uring of before Linux 5.4")
        self._map(params[10:20], params[20:30])

    @classmethod
    def open(cls) -> Self | None:
        """None where there is no io_uring: containers often forbid it."""
        try:
            return cls()
        except OSError as error:
            logger.info("a system call for each member of a fan-out: %s", error)
            return None

    def close(self) -> None:
        """Give the kernel's part back."""
        os.close(self._fd)

    def send(self, sockets: "array[int]", frame: bytes) -> dict[int, int]:
        """Send up to MAX_FRAME_BYTES to up to ENTRIES sockets, by descriptor.

        What became of those that did not take all of it, by position: the bytes they took, or a
        negative errno. The descriptors must be open: nobody looks whose they are.
        """
        self._frame[: len(frame)] = frame
        first = self._words[self._submitted] % ENTRIES
        count = ENTRIES - first
        short = self._send(first, sockets[:count], len(frame))
        if count < len(sockets):  # round the end of the ring
            rest = self._send(0, sockets[count:], len(frame))
            short.update((count + at, taken) for at, taken in rest.items())
        return short

    def _send(self, first: int, sockets: "array[int]", size: int) -> dict[int, int]:
        count = len(sockets)
        end = first + count
        self._descriptors[first:end] = sockets
        self._lengths[first:end] = array("I", (size,)) * count
        submitted = self._submit(count)
        short = self._reap(first, submitted, size)
        if submitted < count:
            short.update(dict.fromkeys(range(submitted, count), -errno.EAGAIN))
        return short

    def _submit(self, count: int) -> int:
        """How many of the next `count` entries the kernel carried out."""
        words, tail = self._words, self._words[self._submitted]
        words[self._submitted] = (tail + count) & 0xFFFFFFFF
        submitted: int = self._libc.syscall(_ENTER, self._fd, count, 0, 0, ffi.NULL, 0)
        if submitted == count:
            return count
        if submitted < 0 and ffi.errno not in _NOT_NOW:
            raise OSError(ffi.errno, os.strerror(ffi.errno))
        submitted = max(submitted, 0)
        words[self._submitted] = (tail + submitted) & 0xFFFFFFFF
        return submitted

    def _reap(self, first: int, count: int, size: int) -> dict[int, int]:
        """The results that are not `size`, by their distance from entry `first`."""
        words = self._words
        seen, completed = words[self._reaped], words[self._completed]
        if (completed - seen) & 0xFFFFFFFF != count:
            raise OSError(errno.EIO, "io_uring owes results of sends that never wait")
        words[self._reaped] = completed
        at = seen % (2 * ENTRIES)
        results = self._results[at : at + count].tolist()
        if results.count(size) == count:
            return {}
        names = self._names[at : at + count]
        return {names[n] - first: got for n, got in enumerate(results) if got != size}

    def _map(self, submission: "array[int]", completion: "array[int]") -> None:
        """Lay views over the memory shared with the kernel; write what never changes."""
        order_at, results_at = submission[6], completion[5]
        results_end = results_at + 2 * ENTRIES * _CQE_BYTES
        ring = mmap.mmap(self._fd, max(order_at + 4 * ENTRIES, results_end))
        self._words = memoryview(ring).cast("I")
        self._submitted = submission[1] // 4
        self._reaped, self._completed = completion[0] // 4, completion[1] // 4
        order = order_at // 4
        self._words[order : order + ENTRIES] = array("I", range(ENTRIES))
        done = memoryview(ring)[results_at:results_end]
        self._results, self._names = done.cast("i")[2::4], done.cast("Q")[::2]
        self._prepare()

    def _prepare(self) -> None:
        entries = mmap.mmap(self._fd, ENTRIES * _SQE.size, offset=_OFF_SQES)
        memory = ffi.new("char[]", MAX_FRAME_BYTES)
        address, flags = int(ffi.cast("uintptr_t", memory)), _MSG_DONTWAIT | _MSG_NOSIGNAL
        for n in range(ENTRIES):
            _SQE.pack_into(entries, n * _SQE.size, _SEND, 0, 0, -1, 0, address, 0, flags, n)
        words = memoryview(entries)
        self._descriptors, self._lengths = words.cast("i")[1::16], words.cast("I")[6::16]
        self._frame = memoryview(ffi.buffer(memory)).cast("B")

    def _call(self, call: int, a: int, b: int) -> int:
        result: int = self._libc.syscall(call, a, b, 0, 0, ffi.NULL, 0)
        if result < 0:
            raise OSError(ffi.errno, os.strerror(ffi.errno))
        return result

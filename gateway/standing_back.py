"""Threads that work long let those go first that work briefly: the event loop, above all."""

from __future__ import annotations

import asyncio
import ctypes
import os
import platform
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")

#: Nanoseconds that a thread asks the system to let it run for at a time: the most that Linux grants.
SLICE_NS: Final = 100_000_000
#: How much nicer it is than the process: beside a thread of the process that always has work it keeps a quarter.
NICE: Final = 5
#: The greatest niceness there is.
_NICEST: Final = 19
#: The number of the system call `sched_setattr` by machine: few C libraries have a function for it.
_SCHED_SETATTR: Final = {"x86_64": 314, "aarch64": 274}
#: Keep the thread's policy (linux/sched.h).
_KEEP_POLICY: Final = 0x08


class _Attributes(ctypes.Structure):
    """What `sched_setattr` reads: sched_setattr(2)."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    )


def stand_back() -> None:
    """Let threads that wake go before this one, and before those that it starts, at once.

    It asks for long slices of time (Linux 6.12 and later): whoever asks for shorter ones goes first, unless it has had
    more than its share. And it is nicer, so that its share is smaller: an event loop that has just worked may go first
    again. Either alone leaves the loop waiting for the end of a slice, up to 4 ms: of a thread that woke twice in a
    row, beside one that computes, a tenth waited longer than 1.8 ms without, 2.4 with long slices, and 0.1 with both.

    It is not much nicer: it may hold the interpreter, and must not be left without time on a machine that is busy.
    """
    number = _SCHED_SETATTR.get(platform.machine())
    if sys.platform != "linux" or number is None:
        return
    nice = min(_NICEST, os.getpriority(os.PRIO_PROCESS, os.getpid()) + NICE)
    asked = _Attributes(ctypes.sizeof(_Attributes), 0, _KEEP_POLICY, nice, 0, SLICE_NS, 0, 0)
    # Refused by old systems and in some sandboxes: then it runs as it did.
    ctypes.CDLL(None).syscall(ctypes.c_long(number), ctypes.c_int(0), ctypes.byref(asked), ctypes.c_uint(0))


async def in_background(work: Callable[..., Found], *arguments: object) -> Found:
    """Return what work gives that is done in a thread of its own, which stands back."""
    thread = ThreadPoolExecutor(1, thread_name_prefix="background", initializer=stand_back)
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, work, *arguments)
    finally:
        thread.shutdown(wait=False)

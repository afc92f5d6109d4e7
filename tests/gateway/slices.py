"""How long threads ask to run at a time, as Linux tells it."""

import ctypes
import platform
import struct
import sys

import pytest

_SCHED_GETATTR = {"x86_64": 315, "aarch64": 275}


def slice_ns() -> int:
    """Return the nanoseconds of this thread's slices; 0 where the system does not say."""
    number = _SCHED_GETATTR.get(platform.machine())
    if sys.platform != "linux" or number is None:
        return 0
    told = ctypes.create_string_buffer(48)
    if ctypes.CDLL(None).syscall(ctypes.c_long(number), ctypes.c_int(0), told, ctypes.c_uint(48), ctypes.c_uint(0)):
        return 0
    return struct.unpack("IIQiIQQQ", told.raw)[5]


needs_slices = pytest.mark.skipif(not slice_ns(), reason="the length of slices can be told from Linux 6.12 on")

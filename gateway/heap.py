"""How memory is looked after while serving: Python's search for garbage, and what the C library keeps at hand."""

from __future__ import annotations

import ctypes
import gc
import sys
from typing import Final

#: Objects that may be made, beyond those that are gone, before the youngest are looked through for garbage that refers
#: to itself; all other garbage is gone as soon as nobody refers to it. Python's own 700 are less than a request under
#: way, and many are under way at once, so that what is no garbage is looked through again and again: a third of all
#: processor time went into that. A request leaves no garbage, and a connection some ten objects of it; 500 streams that
#: begin at once make 100,000, and to look through so many takes 20 ms.
YOUNG: Final = 100_000
#: How many times the youngest are looked through before those that outlived it are, and those before all are.
MIDDLE, ALL = 20, 100
#: Bytes that glibc takes from the system, and keeps, beyond what is asked for. Else it gives the megabytes of a long
#: prompt back page by page, to take them again at once: a prompt of 1 MB took four times as long.
ROOM: Final = 16 * 1024 * 1024
#: glibc's numbers of two settings (malloc.h).
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3


def settle() -> None:
    """Look for garbage seldom, and never among what is there now: modules, and the configuration. Keep room."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, ALL)
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(_M_TOP_PAD, ROOM)
        mallopt(_M_TRIM_THRESHOLD, 2 * ROOM)
        mallopt(_M_MMAP_THRESHOLD, ROOM // 4)

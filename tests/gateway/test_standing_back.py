import os
import threading

import pytest

from gateway.standing_back import NICE, SLICE_NS, in_background, stand_back
from tests.gateway.slices import needs_slices, slice_ns


def in_a_thread(work):
    """Return what a function returns in a thread of its own."""
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def after_standing_back(work):
    """Return what a function returns in a thread that stands back."""

    def stood_back():
        stand_back()
        return work()

    return in_a_thread(stood_back)


@needs_slices
def test_a_thread_that_stands_back_asks_for_long_slices():
    """So that whoever asks for shorter ones goes first."""
    assert SLICE_NS == after_standing_back(slice_ns)


@needs_slices
def test_threads_that_it_starts_stand_back_too():
    """An encoder's own threads do."""
    assert SLICE_NS == after_standing_back(lambda: in_a_thread(slice_ns))


@needs_slices
def test_other_threads_go_on_as_they_did():
    """It is about one thread, and not about the process."""
    before = slice_ns()

    after_standing_back(slice_ns)

    assert before == slice_ns() != SLICE_NS


@needs_slices
def test_a_thread_that_stands_back_is_nicer_than_the_process():
    """A little, and no more for standing back twice; its policy stays."""

    def niceness():
        stand_back()
        return os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)

    nice = min(19, os.getpriority(os.PRIO_PROCESS, os.getpid()) + NICE)
    assert (nice, os.sched_getscheduler(0)) == after_standing_back(niceness)


@needs_slices
async def test_what_is_done_in_the_background_stands_back():
    """And the one who waits for it does not."""
    before = slice_ns()

    assert await in_background(slice_ns) == SLICE_NS
    assert before == slice_ns()


async def test_what_is_done_in_the_background_is_told():
    """Arguments go there, and what is returned or raised comes back; the thread ends."""
    assert await in_background(divmod, 7, 2) == (3, 1)

    with pytest.raises(ZeroDivisionError):
        await in_background(divmod, 7, 0)

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("background") and _lasts(thread)]


def _lasts(thread):
    """Tell whether a thread is still there after ten seconds."""
    thread.join(10)
    return thread.is_alive()

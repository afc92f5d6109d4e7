"""Requests that take their steps together, on both event loops that may run the gateway."""

from __future__ import annotations

import asyncio

import pytest
import uvloop

from gateway.turn import GATHER_TURNS, IN_A_ROW, turn


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def loop(request):
    loop = request.param()
    yield loop
    loop.close()


async def steps(name: str, count: int, seen: list[tuple[str, int]]) -> None:
    """Take so many steps."""
    for number in range(count):
        await turn()
        seen.append((name, number))


async def turns(count: int) -> None:
    """Let the event loop turn so often."""
    for _ in range(count):
        await asyncio.sleep(0)


def test_each_step_is_taken_by_all_before_the_next(loop):
    """In the order of their coming."""
    seen: list[tuple[str, int]] = []

    async def run() -> None:
        await asyncio.gather(*[steps(name, 3, seen) for name in "abc"])

    loop.run_until_complete(run())
    assert [(name, number) for number in range(3) for name in "abc"] == seen


def test_between_two_steps_nothing_else_is_done(loop):
    """Else there would be all that has come for streams between them."""
    seen: list[object] = []

    async def run() -> None:
        for number in range(3):
            await turn()
            seen.append(number)
            loop.call_soon(seen.append, "else")

    loop.run_until_complete(run())
    assert [0, 1, 2] == seen[:3]


def test_others_are_let_in_after_some_steps(loop):
    """However many one has to take."""
    seen: list[object] = []

    async def run() -> None:
        await turn()
        loop.call_soon(seen.append, "else")
        for _ in range(2 * IN_A_ROW):
            await turn()
            seen.append("step")

    loop.run_until_complete(run())
    assert seen.index("else") < IN_A_ROW


def test_one_that_is_alone_waits_for_one_turn(loop):
    """Nobody has come with it, so that nobody is waited for."""

    async def run() -> bool:
        alone = asyncio.ensure_future(turn_once())
        await turns(3)
        return alone.done()

    async def turn_once() -> None:
        await turn()

    assert loop.run_until_complete(run())


def test_those_who_come_a_turn_later_are_waited_for(loop):
    """As long as each turn brings some."""
    seen: list[tuple[str, int]] = []

    async def run() -> None:
        tasks = [asyncio.ensure_future(steps(name, 2, seen)) for name in "ab"]
        await turns(1)
        tasks.append(asyncio.ensure_future(steps("c", 2, seen)))
        await asyncio.gather(*tasks)

    loop.run_until_complete(run())
    assert [(name, number) for number in range(2) for name in "abc"] == seen


def test_nobody_is_waited_for_without_end(loop):
    """Though each turn brings another."""
    seen: list[tuple[str, int]] = []

    async def run() -> None:
        tasks = []
        for number in range(4 * GATHER_TURNS):
            tasks.append(asyncio.ensure_future(steps(str(number), 1, seen)))
            await turns(1)
            if seen:
                break
        await asyncio.gather(*tasks)
        assert number < 2 * GATHER_TURNS

    loop.run_until_complete(run())


def test_one_that_is_cancelled_hears_of_it_and_the_others_go_on(loop):
    """Where it waits."""
    seen: list[tuple[str, int]] = []

    async def run() -> list[object]:
        tasks = [asyncio.ensure_future(steps(name, 2, seen)) for name in "abc"]
        await turns(1)
        tasks[1].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, second, third = loop.run_until_complete(run())
    assert (None, None) == (first, third)
    assert isinstance(second, asyncio.CancelledError)
    assert {"a", "c"} == {name for name, _ in seen}


def test_a_step_that_fails_is_no_business_of_the_others(loop):
    """Its own task has the error."""
    seen: list[tuple[str, int]] = []

    async def fail() -> None:
        await turn()
        raise ValueError("wrong")

    async def run() -> list[object]:
        return await asyncio.gather(fail(), steps("b", 2, seen), return_exceptions=True)

    assert isinstance(loop.run_until_complete(run())[0], ValueError)
    assert [("b", 0), ("b", 1)] == seen


def test_what_ends_the_loop_leaves_the_others_where_they_are(loop):
    """They go on should the loop, and can be cancelled: none waits for ever."""
    seen: list[tuple[str, int]] = []

    async def end() -> None:
        await turn()
        raise SystemExit

    ending, other = loop.create_task(end()), loop.create_task(steps("b", 2, seen))
    with pytest.raises(SystemExit):
        loop.run_until_complete(other)
    loop.run_until_complete(other)
    assert [("b", 0), ("b", 1)] == seen
    assert isinstance(ending.exception(), SystemExit)


def test_who_asks_is_called_when_all_steps_are_taken(loop):
    """Those of tasks that begin in the same turn, too."""
    seen: list[object] = []

    async def run() -> None:
        loop.call_soon(lambda: turn().then(lambda: seen.append("then")))
        await asyncio.gather(*[steps(name, 2, seen) for name in "ab"])

    loop.run_until_complete(run())
    assert [("a", 0), ("b", 0), ("a", 1), ("b", 1), "then"] == seen


def test_who_asks_is_called_though_nobody_waits(loop):
    """Requests may all have been refused before their first step."""
    called = []

    async def run() -> None:
        turn().then(lambda: called.append(True))
        await turns(GATHER_TURNS)

    loop.run_until_complete(run())
    assert [True] == called


def test_each_loop_has_a_cohort_of_its_own(loop):
    """One that was left with somebody who waits holds up nobody of the next."""

    async def leave() -> None:
        task = asyncio.ensure_future(steps("a", 1, []))
        await asyncio.sleep(0)
        task.cancel()

    other = asyncio.new_event_loop()
    other.run_until_complete(leave())
    seen: list[tuple[str, int]] = []
    loop.run_until_complete(steps("b", 1, seen))
    assert [("b", 0)] == seen
    other.run_until_complete(turns(3))
    other.close()

"""What every gate must do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from routers.checks.cases import POOL, bare, contexts
from routers.checks.expect import CheckFailed, expect, expect_arguments_kept
from routers.types import Answer, ToolCall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from routers.types import Call, Candidate, Check, Context, Gate

    MakeGate = Callable[[], Gate]
    Say = Callable[[Candidate], Answer]

#: Calls after which a gate is taken to be endless.
MAX_CALLS: Final = 20
#: Texts that models answer, and are asked about.
TEXTS: Final = (
    "42",
    "",
    "VERDICT: YES",
    "VERDICT: NO",
    "```python\nprint(\n```",
    '{"a": 1}',
    "x " * 5_000,
    "\ud800 \x00",
)


def gives_a_chance(make: MakeGate) -> None:
    """Expect a number in [0, 1], whatever the answer is and whatever models say of it."""
    gate = make()
    for answer in _answers():
        for say in (lambda one: Answer(one, text="VERDICT: YES"), lambda one: Answer(one, error="timeout")):
            _, chance = _checked(gate, answer, say)
            expect(0 <= chance <= 1, f"{chance} is no chance (of {answer.text[:20]!r})")


def asks_whom_it_may(make: MakeGate) -> None:
    """Only candidates are asked, and nothing that a gate asks is relayed."""
    for answer in _answers():
        for call in _checked(make(), answer, lambda one: Answer(one, text="YES"))[0]:
            expect(set(call.candidates) <= set(POOL), f"asked {call.candidates}, which are not in the pool")
            expect(not call.stream, "what a gate asks is not for the client, so `stream` has to be False")
            expect(call.why, "a call does not say why")


def repeats_itself(make: MakeGate) -> None:
    """Expect the same calls and the same chance for the same answers, from one instance and from another."""
    gate, other = make(), make()
    for answer in _answers():
        first, again, twin = (_checked(one, answer, lambda c: Answer(c, text="NO")) for one in (gate, gate, other))
        expect(first == again == twin, "the same answer was given another chance")


def declares_what_it_reads(make: MakeGate) -> None:
    """Signals that `requires` does not name make no difference."""
    gate, context = make(), contexts(1)[0]
    for answer in _answers():
        full, needed = (
            _checked(gate, answer, lambda c: Answer(c, text="NO"), one)
            for one in (context, bare(context, gate.requires))
        )
        expect(full == needed, f"it reads more than {sorted(gate.requires)}")


def keeps_its_arguments(make: MakeGate) -> None:
    """Expect that constructor arguments are attributes of the same names."""
    expect_arguments_kept(make())


def is_documented(make: MakeGate) -> None:
    """Expect that the class has a docstring."""
    gate = make()
    expect((type(gate).__doc__ or "").strip(), f"{type(gate).__name__} has no docstring")


def _answers() -> Iterator[Answer]:
    for text in TEXTS:
        yield Answer(POOL[0], text=text, finish_reason="stop", logprobs=(-0.1, -2.0))
        yield Answer(POOL[1], text=text, finish_reason="length", refusal=True)
    yield Answer(POOL[0], tool_calls=(ToolCall("f", "{"),), finish_reason="tool_calls")


def _checked(gate: Gate, answer: Answer, say: Say, context: Context | None = None) -> tuple[list[Call], float]:
    """Return the calls of a gate and the chance that it gives an answer."""
    check: Check = gate.check(context or contexts(1)[0], answer, POOL)
    calls: list[Call] = []
    try:
        call = next(check)
        while len(calls) < MAX_CALLS:
            calls.append(call)
            call = check.send([say(candidate) for candidate in call.candidates])
    except StopIteration as end:
        return calls, float(end.value)
    raise CheckFailed(f"it did not end within {MAX_CALLS} calls")


#: Every check of a gate.
GATE_CHECKS = (
    gives_a_chance,
    asks_whom_it_may,
    repeats_itself,
    declares_what_it_reads,
    keeps_its_arguments,
    is_documented,
)


def check_gate(make_gate: MakeGate) -> None:
    """Run every check on fresh instances. Raises `CheckFailed`.

    >>> from routers.gates.wellformed import Wellformed
    >>> check_gate(Wellformed)
    """
    for check in GATE_CHECKS:
        check(make_gate)

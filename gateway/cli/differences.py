"""What a change of policies would do, as tables for the terminal and as JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from gateway.redeciding.difference import STILL, Average

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from gateway.redeciding.difference import Difference

#: What the numbers leave out.
CAVEAT = (
    "As if no model rested and no session had begun. A caller's bounds and dial count only as far as the log has them."
)


def document(found: Difference) -> dict[str, Any]:
    """Return a difference as plain JSON values."""
    return {
        "object": "policy.diff",
        "requests": found.requests,
        "compared": found.compared,
        "reproduced": found.reproduced,
        "cannot_tell": {"requests": found.cannot_tell, "by_missing": dict(found.untold.most_common())},
        "moved": {
            "requests": sum(one > STILL for one in found.moved),
            "probability": _average(Average.of(found.moved)),
            "likeliest": [{"old": old, "new": new, "requests": n} for (old, new), n in found.moves.most_common()],
        },
        "rules": [
            {"old": old, "new": new, "requests": len(moved), "moved": math.fsum(moved) / len(moved)}
            for (old, new), moved in found.by_rule.items()
        ],
        "refusals": {
            key: [{"rule": rule, "code": code, "requests": n} for (rule, code), n in counter.most_common()]
            for key, counter in (("appear", found.appeared), ("vanish", found.vanished))
        },
        "cost_usd": _average(Average.of(found.costs_usd)),
        "reward": _average(Average.of(found.rewards)),
        "examples": [
            {
                "decision_id": one.decision_id,
                "moved": one.moved,
                "old": {"rule": one.old_rule, "model": one.old_model},
                "new": {"rule": one.new_rule, "model": one.new_model},
            }
            for one in found.examples
        ],
    }


def tables(found: Difference) -> Iterator[RenderableType]:
    """Yield the parts of a difference."""
    told = f"{found.requests} requests, {found.compared} compared; the old side decides {found.reproduced} as logged"
    yield Text(told)
    for name, n in found.untold.most_common():
        yield Text(f"cannot tell {n}: the log lacks {name}", "yellow")
    yield from _moves(found)
    yield from _rules(found)
    for title, counter in (("new refusals", found.appeared), ("no longer refused", found.vanished)):
        for (rule, code), n in counter.most_common():
            yield Text(f"{title}: {n} ({code}, {_rule(rule)})", "red" if title == "new refusals" else "")
    yield Text(f"cost, USD a request: {_said(Average.of(found.costs_usd))}")
    yield Text(f"quality expected: {_said(Average.of(found.rewards))}")
    yield from _examples(found)
    yield Text(CAVEAT, "dim")


def _moves(found: Difference) -> Iterator[RenderableType]:
    moved = Average.of(found.moved)
    if moved is None:
        return
    count = sum(one > STILL for one in found.moved)
    yield Text(f"{count} move; {moved.value:.1%} of all probability goes to other models", "bold")
    if found.moves:
        table = _table("likeliest before", "after", "requests")
        for (old, new), n in found.moves.most_common():
            table.add_row(*map(Text, (old, new, str(n))))
        yield table


def _rules(found: Difference) -> Iterator[RenderableType]:
    table = _table("rule before", "after", "requests", "moved")
    for (old, new), moved in sorted(found.by_rule.items(), key=lambda item: -math.fsum(item[1])):
        share = math.fsum(moved) / len(moved)
        table.add_row(*map(Text, (_rule(old), _rule(new), str(len(moved)), f"{share:.1%}")))
    if found.by_rule:
        yield table


def _examples(found: Difference) -> Iterator[RenderableType]:
    table = _table("decision", "moved", "before", "after")
    for one in found.examples:
        before, after = f"{one.old_model} ({_rule(one.old_rule)})", f"{one.new_model} ({_rule(one.new_rule)})"
        table.add_row(*map(Text, (one.decision_id, f"{one.moved:.1%}", before, after)))
    if found.examples:
        yield table


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name in ("requests", "moved") else "left")
    return table


def _rule(name: str | None) -> str:
    return "no rule" if name is None else name


def _said(average: Average | None) -> str:
    if average is None:
        return "unknown"
    error = "" if average.error is None else f" ± {average.error:.2g}"
    return f"{average.value:+.3g}{error} ({average.n} requests)"


def _average(average: Average | None) -> dict[str, Any] | None:
    return None if average is None else {"mean": average.value, "standard_error": average.error, "requests": average.n}

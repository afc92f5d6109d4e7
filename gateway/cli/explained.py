"""A decision with its trace, as tables for the terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from gateway.signals.registry import signal_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import RenderableType

_UNKNOWN = "-"


def explained(decision: Mapping[str, Any], deadline_ms: float) -> Iterator[RenderableType]:
    """Yield the parts of an explanation, as `gateway.explanation` gives it with its trace.

    `deadline_ms` is the configured deadline of the signals, which the decision may have been made without.
    """
    trace = decision["trace"]
    yield _signals(trace)
    yield from _late(trace, deadline_ms)
    for name in ("projections", "defaults"):
        if trace[name]:
            yield _pairs(name.removesuffix("s"), trace[name])
    if trace["rules"]:
        yield _rules(trace)
    yield from _class(trace)
    yield _candidates(decision)
    yield from _exploration(trace)
    yield from _plan(trace)
    yield from _buffering(decision)
    yield from _hedging(decision)
    yield _stages(trace)
    yield from _conclusion(decision)


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name in ("ms", "probability", "quality", "cost $") else "left")
    return table


def _row(table: Table, *cells: str) -> None:
    # As Text, so that a name in square brackets is no markup.
    table.add_row(*map(Text, cells))


def _signals(trace: Mapping[str, Any]) -> Table:
    by_signal: dict[str, dict[str, Any]] = {signal: {} for signal in sorted(trace["signal_ms"])}
    for feature, value in trace["signals"].items():
        by_signal.setdefault(signal_of(feature), {})[feature] = value
    table = _table("signal", "ms", "feature", "value")
    for signal, features in by_signal.items():
        took = trace["signal_ms"].get(signal)
        first = signal, _UNKNOWN if took is None else f"{took:.2f}"
        for feature, value in features.items() or [(_UNKNOWN, _UNKNOWN)]:
            _row(table, *first, feature, _shown(value) if features else _UNKNOWN)
            first = "", ""
    for signal in trace["missed"]:
        _row(table, signal, _UNKNOWN, _UNKNOWN, "missed: it took too long, or failed")
    return table


def _late(trace: Mapping[str, Any], deadline_ms: float) -> Iterator[Text]:
    """Yield which signals would have been late by the configured deadline."""
    late = {signal: took for signal, took in trace["signal_ms"].items() if took > deadline_ms}
    together = trace["stage_ms"].get("signals", 0.0)
    if late:
        took = ", ".join(f"{signal} ({ms:.1f} ms)" for signal, ms in late.items())
        yield Text(f"The configured deadline of {deadline_ms:g} ms would have been missed by {took}.", "yellow")
    elif together > deadline_ms:
        said = (
            f"Together the signals took {together:.1f} ms: some may miss the configured deadline of {deadline_ms:g} ms."
        )
        yield Text(said, "yellow")


def _pairs(title: str, pairs: Mapping[str, Any]) -> Table:
    table = _table(title, "value")
    for name, value in pairs.items():
        _row(table, name, _shown(value))
    return table


def _rules(trace: Mapping[str, Any]) -> Table:
    several = len({rule["policy"] for rule in trace["rules"]}) > 1
    table = _table("rule", "outcome", "because")
    for rule in trace["rules"]:
        outcome = {True: "holds", False: "does not hold", None: "unknown"}[rule["holds"]]
        name = f"{rule['policy']}/{rule['rule']}" if several else rule["rule"]
        _row(table, name, outcome if rule["reached"] else f"not reached; {outcome}", rule["because"])
    return table


def _class(trace: Mapping[str, Any]) -> Iterator[Text]:
    if trace["data_class"] is not None:
        yield Text(f"data class {trace['data_class']['name']}: {'; '.join(trace['data_class']['because'])}")


def _candidates(decision: Mapping[str, Any]) -> Table:
    table = _table("model", "probability", "quality", "cost $", "")
    for one in decision["candidates"]:
        reward, cost = one["reward"], one["expected_cost_usd"]
        quality = f"{reward['mean']:.3f} ± {reward['std']:.3f}" if reward else _UNKNOWN
        chosen = "chosen" if one["model"] == decision["model"] else ""
        price = _UNKNOWN if cost is None else f"{cost:.3g}"
        _row(table, one["model"], f"{one['propensity']:.3f}", quality, price, chosen)
    for model, reason in decision["removed"].items():
        _row(table, model, _UNKNOWN, _UNKNOWN, _UNKNOWN, f"removed: {reason}")
    return table


def _exploration(trace: Mapping[str, Any]) -> Iterator[Text]:
    """Yield whether it is explored, and what is left for it; nothing where the router does not explore."""
    if (explored := trace.get("exploration")) is None:
        return
    left = explored["left_usd"]
    money = "no bound on money" if left is None else f"{left:.6g} USD left today"
    said = f"on, {money}" if explored["on"] else f"off ({explored['because']})"
    yield Text(f"exploration {said}; best {explored['best']}")


def _plan(trace: Mapping[str, Any]) -> Iterator[Text]:
    """Yield whom a plan of several calls asks first; nothing where there is one call."""
    if (plan := trace.get("plan")) is not None:
        yield Text(f"a plan of several calls: asks {', '.join(plan['asks'])} first")


def _buffering(decision: Mapping[str, Any]) -> Iterator[Text]:
    """Yield that answers are heard out before the client gets one; nothing where the first one is relayed."""
    if decision.get("buffered"):
        yield Text("buffered: the plan looks at answers before the client gets one, a stream too")


def _hedging(decision: Mapping[str, Any]) -> Iterator[Text]:
    """Yield when a second model would be asked; nothing where none would be."""
    if (hedge := decision.get("hedge")) is None:
        return
    most = hedge["max_usd_per_day"]
    money = "" if most is None else f" and {most:g} USD a day"
    yield Text(
        f"hedged: a second model is asked where the first is slower than in {hedge['percentile']:g} % of its answers, "
        f"for at most {hedge['max_share']:.3g} of the requests{money}"
    )


def _stages(trace: Mapping[str, Any]) -> Text:
    took = ", ".join(f"{stage} {ms:.2f} ms" for stage, ms in trace["stage_ms"].items())
    return Text(f"took {took}", "dim")


def _conclusion(decision: Mapping[str, Any]) -> Iterator[Text]:
    rule = f", rule {decision['rule']}" if decision["rule"] else ", where no rule matches"
    tag = f", tag {decision['trace']['tag']}" if decision["trace"]["tag"] else ""
    where = f"policy {decision['policy']}{rule}{tag}"
    if decision["model"] is None:
        refused = decision["refused"]
        yield Text(f"refused ({refused['code']}) by {where}: {refused['message']}", "bold red")
    else:
        yield Text(f"{decision['model']} by {where} ({decision['why']})", "bold")


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

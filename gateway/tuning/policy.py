"""The policy that a tuning chooses, as a file that says what was tried and why this was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.tuning.choice import Metric
from gateway.tuning.setting import flow
from routers.registry import DEFAULT_FLOOR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gateway.tuning.choice import Standing, Tried
    from gateway.tuning.plan import Plan
    from gateway.tuning.run import Seen, Source, Tuning

WORDS = {Metric.AIQ: "AIQ", Metric.SQUARED_ERROR: "squared error"}


def policy_text(name: str, tuning: Tuning, plan: Plan, now: datetime) -> str:
    """Return the text of the policy's YAML file, named `name`."""
    head = [f"# {line}".rstrip() for line in map(_printable, _story(tuning, plan, now))]
    dial = [f"  # {line}" for line in map(_printable, _dial(tuning))]
    setting = tuning.choice.chosen.setting
    body = [
        f"name: {flow([name])[1:-1]}",
        f"description: {setting.estimator}, as chosen by cross-validation",
        "router:",
        f"  type: {setting.parts['type']}",
        f"  estimator: {flow(setting.parts['estimator'])}",
        f"  costs: {flow(setting.parts['costs'])}",
        "  # Settings were judged without a floor. It keeps the log fit for evaluating other policies; 0 is none.",
        f"  rule: {flow({'type': 'greedy', 'floor': DEFAULT_FLOOR})}",
        *dial,
        f"  quality_weight: {tuning.dial.quality_weight}",
    ]
    return "\n".join([*head, *body]) + "\n"


def _story(tuning: Tuning, plan: Plan, now: datetime) -> Iterator[str]:
    yield f"Chosen by `pointsman tune` on {now:%Y-%m-%d}: {plan.folds}-fold cross-validation on the fold"
    yield f"{plan.train_fold!r} alone, stratified by task, seed {plan.seed}."
    for source in tuning.sources:
        yield from _table(source)
    yield ""
    yield f"Rule: the simplest setting whose {WORDS[plan.metric]} is not worse than the best one's by more than one"
    yield "standard error of the difference over the folds. Simpler settings, which smooth more, come first below."
    yield "AIQ, and the squared error of the expected rewards, each with its standard error over the folds;"
    yield "> is chosen, * is the best outright, = are those that are as good by the rule."
    yield ""
    for one in tuning.tried:
        aiq, error = one.aiq, one.squared_error
        numbers = f"{aiq.value:.4f} +- {aiq.error:.4f}  {error.value:.4f} +- {error.error:.4f}"
        yield f"{mark(one, tuning)} {numbers}  {one.setting.label}"
    yield ""
    for source, seen in zip(tuning.sources, tuning.seen, strict=False):
        yield from _seen(source, seen)


def mark(one: Tried, tuning: Tuning) -> str:
    """Return a sign for what a setting is in the choice."""
    chosen, best = one is tuning.choice.chosen, one is tuning.choice.best
    if chosen:
        return ">*" if best else "> "
    if best:
        return " *"
    return " =" if one in tuning.choice.within else "  "


def _table(source: Source) -> Iterator[str]:
    parts = source.parts
    yield (
        f"Table {source.table.path.name}: {parts.outcomes.n} rows of that fold, {parts.n_judged} of them judged, "
        f"{len(source.table.models)} models;"
    )
    yield f"sha256 {source.sha256}."


def _seen(source: Source, seen: Seen) -> Iterator[str]:
    yield f"Looked at once, after all was chosen: the fold {seen.fold!r} of {source.table.path.name}, {seen.n} rows."
    yield (
        f"AIQ {seen.aiq:.4f}; with the dial as below, without a floor: quality {seen.quality:.4f} at "
        f"USD {1000 * seen.cost_usd:.4g} for 1000,"
    )
    yield (
        f"where the best single model has {seen.single_quality:.4f} at USD {1000 * seen.single_cost_usd:.4g} for 1000."
    )
    yield ""


def _dial(tuning: Tuning) -> Iterator[str]:
    if tuning.dial.reached:
        yield "The least cost at which the cross-validated curve is as good as the best single model"
    else:
        yield "The cross-validated curve is nowhere as good as the best single model; this is where it is best"
    yield "(on average over the tables):" if len(tuning.sources) > 1 else "(quality, and USD for 1000 requests):"
    for source, standing in zip(tuning.sources, tuning.dial.standings, strict=True):
        yield from _standing(source, standing)


def _standing(source: Source, standing: Standing) -> Iterator[str]:
    yield (
        f"{source.table.path.name}: {standing.quality:.4f} at {1000 * standing.cost_usd:.4g}; "
        f"{standing.single} alone: {standing.single_quality:.4f} at {1000 * standing.single_cost_usd:.4g}."
    )
    yield (
        f"With the floor, by which every model is asked now and then: {standing.floored_quality:.4f} "
        f"at {1000 * standing.floored_cost_usd:.4g}."
    )


def _printable(line: str) -> str:
    """Return a line that stays one: a name may hold anything."""
    return "".join(letter if letter.isprintable() else "?" for letter in line)

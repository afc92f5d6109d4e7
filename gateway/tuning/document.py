"""A tuning as JSON, and as a table to read in a terminal."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table as Grid

from gateway.tuning.policy import mark

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.tuning.choice import Mean, Tried
    from gateway.tuning.plan import Plan
    from gateway.tuning.run import Source, Tuning

    Entry = dict[str, Any]

#: The version of the document's form.
VERSION = 1


def document(command: Sequence[str], now: datetime, tuning: Tuning, plan: Plan) -> Entry:
    """Return all that is known of a tuning, for `json.dumps`."""
    return {
        "version": VERSION,
        "created": now.isoformat(timespec="seconds"),
        "command": list(command),
        "folds": plan.folds,
        "train_fold": plan.train_fold,
        "seed": plan.seed,
        "metric": plan.metric.value,
        "tables": [_table(source) for source in tuning.sources],
        "settings": [_setting(one, tuning) for one in tuning.tried],
        "chosen": _chosen(tuning),
        "report_on": [asdict(seen) for seen in tuning.seen],
    }


def grid(tuning: Tuning, plan: Plan) -> Grid:
    """Return the settings that were tried, the simplest first."""
    rows = sum(source.parts.n_judged for source in tuning.sources)
    title = f"{len(tuning.tried)} settings, {plan.folds}-fold cross-validation on {rows} prompts of {plan.train_fold!r}"
    shown = Grid("", "setting", title=escape(title), caption="> chosen   * best outright   = as good by the rule")
    for name in ("AIQ", "squared error", "fit, s"):
        shown.add_column(name, justify="right")
    for one in tuning.tried:
        style = "bold" if one is tuning.choice.chosen else ""
        numbers = (_shown(one.aiq), _shown(one.squared_error), f"{_fit_s(one):.2f}")
        shown.add_row(mark(one, tuning), escape(one.setting.label), *numbers, style=style)
    return shown


def _table(source: Source) -> Entry:
    return {
        "path": str(source.table.path),
        "sha256": source.sha256,
        "n": source.parts.outcomes.n,
        "n_judged": source.parts.n_judged,
        "models": list(source.table.models),
    }


def _setting(one: Tried, tuning: Tuning) -> Entry:
    return {
        "router": one.setting.estimator,
        "options": dict(one.setting.options),
        "aiq": _mean(one.aiq),
        "squared_error": _mean(one.squared_error),
        "fit_s": _fit_s(one),
        "best": one is tuning.choice.best,
        "within": one in tuning.choice.within,
        "chosen": one is tuning.choice.chosen,
    }


def _chosen(tuning: Tuning) -> Entry:
    setting, dial = tuning.choice.chosen.setting, tuning.dial
    return {
        "router": setting.estimator,
        "options": dict(setting.options),
        "quality_weight": dial.quality_weight,
        "reaches_best_single": dial.reached,
        "tables": [asdict(standing) for standing in dial.standings],
    }


def _mean(mean: Mean) -> Entry:
    return {"value": mean.value, "error": mean.error, "folds": list(mean.parts)}


def _fit_s(one: Tried) -> float:
    return sum(outcome.fit_s for outcome in one.outcomes)


def _shown(mean: Mean) -> str:
    return f"{mean.value:.4f} +- {mean.error:.4f}"

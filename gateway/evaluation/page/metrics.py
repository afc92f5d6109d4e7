"""The metrics of a report: what each is called, what it means, and how it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gateway.evaluation.page.numbers import UNKNOWN, dollars, fixed, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Headings of docs/evaluation.md.
OF_CURVES = "numbers-of-a-curve"
OF_ROUTERS = "numbers-of-a-router"
Form = Literal["fraction", "ratio", "usd", "percent", "gain", "us", "s"]
FORMS: Mapping[Form, Callable[[float], str]] = {
    "fraction": fixed,
    "ratio": lambda value: f"{fixed(value, 2)}\N{MULTIPLICATION SIGN}",
    "usd": dollars,
    "percent": lambda value: f"{fixed(100 * value, 1)} %",
    "gain": lambda value: f"{signed(100 * value, 1)} %",
    "us": lambda value: f"{fixed(value, 0)} \N{MICRO SIGN}s",
    "s": lambda value: f"{value:.3g} s",
}


@dataclass(frozen=True, slots=True)
class Metric:
    """One column: `key` is its place in the document, with a dot before what is inside of it.

    `better` is the end of the scale that one wants. `core` columns are seen at first, the others on demand.
    The page docs/evaluation.md has a heading for each `anchor`.
    """

    key: str
    label: str
    meaning: str
    anchor: str
    form: Form = "fraction"
    better: Literal["high", "low"] = "high"
    core: bool = False

    def value(self, entry: Mapping[str, Any]) -> float | None:
        """Return the number of a router, or None."""
        found: Any = entry
        for part in self.key.split("."):
            found = None if found is None else found.get(part)
        return None if found is None else float(found)

    def text(self, value: float | None) -> str:
        """Return the number as it is shown."""
        return UNKNOWN if value is None else FORMS[self.form](value)


METRICS = (
    Metric(
        "aiq",
        "AIQ",
        "Mean height of the cost-quality hull, from the cheapest single model's cost to the dearest's.",
        OF_CURVES,
        core=True,
    ),
    Metric(
        "max_accuracy",
        "Best quality",
        "The highest mean quality at any setting of the dial.",
        OF_CURVES,
        core=True,
    ),
    Metric(
        "match_cost_ratio",
        "Cost to match",
        "What it costs to answer as well as the best single model, as a share of that model's cost.",
        OF_CURVES,
        "ratio",
        "low",
        core=True,
    ),
    Metric(
        "gap_to_oracle",
        "Gap to oracle",
        "How far the best quality stays below always knowing the best model, relative to the latter.",
        OF_CURVES,
        "percent",
        "low",
        core=True,
    ),
    Metric(
        "latency_us.p50",
        "Median latency",
        "How long one decision takes, in the median; embedding the prompt is not counted.",
        OF_ROUTERS,
        "us",
        "low",
        core=True,
    ),
    Metric("latency_us.p99", "Latency, p99", "What 99 of 100 decisions stay below.", OF_ROUTERS, "us", "low"),
    Metric("aiq_log", "AIQ, log cost", "AIQ over the logarithm of cost: cheap settings weigh more.", OF_CURVES),
    Metric(
        "accuracy_at_baseline_cost",
        "Quality at equal cost",
        "The hull's height at the cost of always using the best single model.",
        OF_CURVES,
    ),
    Metric(
        "cost_at_max_usd",
        "Cost at best",
        "What a thousand prompts cost where quality is highest.",
        OF_CURVES,
        "usd",
        "low",
    ),
    Metric("deferral_area", "Deferral area", "Area under quality against normalised cost.", OF_CURVES),
    Metric(
        "qnc",
        "QNC",
        "Smallest relative cost at which the curve reaches the most accurate single model.",
        OF_CURVES,
        "ratio",
        "low",
    ),
    Metric(
        "hypervolume",
        "Hypervolume",
        "Area dominated, against no quality at the highest cost.",
        OF_CURVES,
    ),
    Metric(
        "cpt90",
        "CPT(90 %)",
        "Share of the strongest model's cost that buys 90 % of its quality.",
        OF_CURVES,
        "ratio",
        "low",
    ),
    Metric(
        "perf_gain",
        "Quality gain",
        "Best quality over that of the best single model.",
        OF_CURVES,
        "gain",
    ),
    Metric(
        "cost_save",
        "Cost saved",
        "What is saved while the best single model's quality is kept.",
        OF_CURVES,
        "percent",
    ),
    Metric(
        "pareto_distance",
        "Pareto distance",
        "Mean distance to the front of all routers and models together.",
        OF_CURVES,
        better="low",
    ),
    Metric("arena_score", "Arena score", "Quality and log cost in one number, quality weighing more.", OF_CURVES),
    Metric("rank_score", "Rank score", "Harmonic mean of quality and of the share of cost that is saved.", OF_CURVES),
    Metric("robustness", "Robustness", "Share of decisions that rewording the prompt leaves alone.", OF_ROUTERS),
    Metric("fit_s", "Fitting", "How long fitting to the training fold took.", OF_ROUTERS, "s", "low"),
)

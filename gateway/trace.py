"""The trace of a decision: what was found out, what each rule made of it, who was removed and why, how long it took."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.events import PLAN
from gateway.quotas.pressure import NO_PRESSURE, Pressure

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from gateway.exploration.choosing import Explored
    from gateway.policy import Effect, Matched, Step
    from gateway.rules.ruleset import Judged
    from gateway.signals.extract import Readings
    from gateway.tasks.task import Task

#: Rules of one policy whose verdicts a trace shows; of more, it shows the last ones that were asked.
MAX_RULES = 50
#: Features that are the user's own words: a trace says what was asked of them, not what they are.
UNSHOWN = frozenset({"text"})


@dataclass(slots=True)
class Trace:
    """What a decision was made from.

    `removed` says of each model that must not or cannot answer why, `resting` are those that rest or have no room,
    `stages` how many seconds each stage took. `data_class` is the class of the request with the reasons for it, `kept`
    why a session's last model was kept, `dial` where a header or the body turned the dial, before any pressure (None:
    neither did), `pressure` how scarce money is.
    """

    readings: Readings
    matched: Matched
    removed: Mapping[str, str] = field(default_factory=dict)
    resting: tuple[str, ...] = ()
    data_class: tuple[str, tuple[str, ...]] | None = None
    kept: str | None = None
    dial: float | None = None
    pressure: Pressure = NO_PRESSURE
    stages: dict[str, float] = field(default_factory=dict)
    #: Whether the router explored; None for one that does not.
    exploration: Explored | None = None
    #: Which version decided, and how it compares with the other; None where nothing is being promoted.
    promotion: Mapping[str, Any] | None = None
    #: Whom a plan of several calls asks first; None where there is one call, whose answer is final.
    plan: tuple[str, ...] | None = None
    #: What is left of the session's budget; None where it has none.
    task: Task | None = None

    def as_json(self, *, every_rule: bool = False) -> dict[str, Any]:
        """Return it as plain values; `every_rule` adds the verdicts on rules whose turn did not come."""
        matched, readings, policy = self.matched, self.readings, self.matched.policy
        plain = {
            "policy": policy.name,
            "rule": matched.rule,
            "tag": matched.tag,
            "rules": [line for step in matched.steps if step.policy.rules.rules for line in _rules(step, every_rule)],
            "signals": shown(readings.features),
            "projections": self._of_policy(policy.projections.provides) if policy.projections.ordered else {},
            "defaults": self._of_policy(policy.defaults.keys() - readings.features.keys()) if policy.defaults else {},
            "missed": sorted(readings.missed),
            "data_class": _data_class(self.data_class),
            "removed": dict(self.removed),
            "resting": list(self.resting),
            "kept": self.kept,
            "dial": self.dial,
        }
        if self.pressure.shares:
            plain["pressure"] = _pressure(self.pressure)
        if self.exploration is not None:
            plain["exploration"] = self.exploration.as_json()
        if self.plan is not None:
            plain[PLAN] = {"asks": list(self.plan)}
        if self.task is not None:
            plain["task"] = self.task.as_json()
        plain["signal_ms"] = _milliseconds(readings.seconds)
        plain["stage_ms"] = _milliseconds(self.stages)
        if self.promotion is not None:
            plain["promotion"] = dict(self.promotion)
        return plain

    def _of_policy(self, names: Collection[str]) -> dict[str, Any]:
        """Return features that the policy in force added."""
        return _plain({name: value for name, value in self.matched.features.items() if name in names})


def shown(features: Mapping[str, Any]) -> dict[str, Any]:
    """Return features as plain JSON values, without the user's own words."""
    plain = _plain(features)
    for name in UNSHOWN:
        plain.pop(name, None)
    return plain


def _plain(features: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if type(value) is tuple else value for name, value in features.items()}


def _data_class(found: tuple[str, tuple[str, ...]] | None) -> dict[str, Any] | None:
    """Return the class of the request with the reasons for it."""
    return None if found is None else {"name": found[0], "because": list(found[1])}


def _pressure(pressure: Pressure) -> dict[str, Any]:
    """Return how scarce money is: its price by now, and how much of each quota is used."""
    shares = {name: round(share, 6) for name, share in pressure.shares.items()}
    return {"price_of_money": round(pressure.price, 6), "used": shares}


def _milliseconds(seconds: Mapping[str, float]) -> dict[str, float]:
    """Return milliseconds, to the microsecond; `round` would take three times as long for the same."""
    return {name: int(value * 1e6 + 0.5) / 1000 for name, value in seconds.items()}


def _rules(step: Step, every_rule: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 - private, and named by its caller
    judged: Iterable[Judged[Effect]] = (
        step.policy.rules.explain(step.match.features) if every_rule else step.match.verdicts()[-MAX_RULES:]
    )
    for one in judged:
        yield {
            "policy": step.policy.name,
            "rule": one.rule.name,
            "reached": one.reached,
            "holds": one.verdict.holds,
            "because": str(one.verdict),
        }

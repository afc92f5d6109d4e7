"""Draws logs from a world, estimates every policy from each, and counts how often the truth is held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from routers.evaluation.off_policy.direct import direct
from routers.evaluation.off_policy.dr import dr
from routers.evaluation.off_policy.estimate import mean_of
from routers.evaluation.off_policy.evidence import Demands, objections
from routers.evaluation.off_policy.ips import ips
from routers.evaluation.off_policy.logged import Logged, quantity, sample
from routers.evaluation.off_policy.overlap import overlap
from routers.evaluation.off_policy.snips import snips
from routers.evaluation.off_policy.switch_dr import switch_dr

if TYPE_CHECKING:
    from off_policy_policies import World

    from routers.evaluation.off_policy.estimate import Estimate

METHODS = {"direct": direct, "ips": ips, "snips": snips, "dr": dr, "switch_dr": switch_dr}
#: Of a log with few ratings, the last part is too young for any.
YOUNG = 0.1


@dataclass(frozen=True)
class Trials:
    """How many logs are drawn, of how many requests, and what share of the answers is rated."""

    requests: int = 5000
    repetitions: int = 200
    rated: float = 1.0
    seed: int = 0


def run(world: World, trials: Trials) -> list[dict[str, Any]]:
    """Return of each policy how every estimator did: hits and errors of values, differences and relative changes."""
    found = [{"policy": name, "refused": 0.0, "effective": [], "unsupported": []} for name in world.targets]
    for repetition in range(trials.repetitions):
        rng = np.random.default_rng([trials.seed, repetition])
        rows = rng.integers(0, len(world.rewards), trials.requests)
        log = draw(world, rows, rng)
        rated = ratings(log, trials.rated, rng)
        for name, table in (("quality", world.rewards), ("cost", world.costs)):
            values = table[rows, log.actions]
            values = np.where(rated, values, np.nan) if name == "quality" else values
            scale = float(np.nanstd(values))
            judge(world, log, rows, (name, scale, values / scale, table / scale), found)
    for one in found:
        one["refused"] /= trials.repetitions
    return found


def draw(world: World, rows: np.ndarray, rng: np.random.Generator) -> Logged:
    """Return the log of some requests: of each, one model is drawn."""
    chances = world.logging[rows]
    actions = (chances.cumsum(axis=1) > rng.random((len(rows), 1)) * chances.sum(axis=1, keepdims=True)).argmax(axis=1)
    ages = np.linspace(7 * 86400, 0, len(rows))
    return Logged(chances, actions, world.embeddings[rows], world.tokens[rows], ages, np.arange(len(rows)))


def ratings(log: Logged, share: float, rng: np.random.Generator) -> np.ndarray:
    """Tell which answers are rated: of one model up to three times as often as of another, of the young ones none."""
    if share >= 1:
        return np.ones(len(log.actions), bool)
    by_model = np.linspace(0.5, 1.5, log.probabilities.shape[1]) * share
    return (rng.random(len(log.actions)) < by_model[log.actions]) & (log.ages > YOUNG * log.ages.max())


def judge(
    world: World,
    log: Logged,
    rows: np.ndarray,
    column: tuple[str, float, np.ndarray, np.ndarray],
    found: list[dict[str, Any]],
) -> None:
    """Add how the estimates of one quantity, from one log, compare with the truth."""
    name, scale, values, table = column
    known = quantity(log, values)
    ran, true_ran = dr(sample(log, known, log.probabilities)), truth(world.logging, table)
    naive = mean_of(np.where(known.seen > 0, values, np.nan)[known.seen > 0], np.arange(int((known.seen > 0).sum())))
    for one in found:
        target = world.targets[one["policy"]]
        drawn = sample(log, known, target[rows])
        seen = overlap(drawn)
        one["effective"].append(seen.effective)
        one["unsupported"].append(seen.unsupported)
        refused = any(objections(seen, Demands()))
        one["refused"] += refused if name == "quality" else 0
        if refused:
            continue
        true = truth(target, table)
        for method, estimate in METHODS.items():
            made = estimate(drawn)
            # As the product does of what has bounds.
            made = made.imagining(1 / scale, seen.effective) if name == "quality" else made
            against = {
                "value": (made, true),
                "difference": (made.less(ran), true - true_ran),
                "relative": (made.relative_to(ran), true / true_ran - 1),
            }
            for kind, (each, target_value) in against.items():
                note(one, (name, method, kind), each, target_value)
        note(one, (name, "naive", "value"), naive, true)


def note(one: dict[str, Any], key: tuple[str, str, str], estimate: Estimate, true: float) -> None:
    """Add whether an interval holds the truth, the error, and half of its width."""
    low, high = estimate.interval
    one.setdefault("/".join(key), []).append((float(low <= true <= high), estimate.value - true, (high - low) / 2))


def truth(target: np.ndarray, table: np.ndarray) -> float:
    """Return what a policy has on the whole table."""
    return float((target * table).sum(axis=1).mean())


def summary(judged: list[dict[str, Any]], quantity_name: str, method: str) -> dict[str, float]:
    """Return coverage over all policies, the least of one, of changes, and errors in standard deviations."""
    told = {kind: _told(judged, f"{quantity_name}/{method}/{kind}") for kind in ("value", "relative", "difference")}
    hits = {kind: [np.mean([hit for hit, _, _ in one]) for one in each] for kind, each in told.items()}
    nothing = [float("nan")]
    return {
        "coverage": float(np.mean(hits["value"] or nothing)),
        "least": float(np.min(hits["value"] or nothing)),
        "relative": float(np.mean(hits["relative"] or nothing)),
        "difference": float(np.mean(hits["difference"] or nothing)),
        "rmse": float(np.sqrt(np.mean([np.mean([error**2 for _, error, _ in one]) for one in told["value"]]))),
        "half_width": float(np.mean([np.mean([width for _, _, width in one]) for one in told["value"]])),
    }


def _told(judged: list[dict[str, Any]], key: str) -> list[list[tuple[float, float, float]]]:
    """Return what was noted of policies that are told in half of the logs or more."""
    return [one[key] for one in judged if key in one and one["refused"] <= 0.5]

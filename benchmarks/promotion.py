"""How often regressions are rolled back, and how often what is no worse is: simulated promotions, hundreds of them.

    python benchmarks/promotion.py              # some minutes
    python benchmarks/promotion.py --runs 40    # a look

Every run draws sessions of requests whose quality, errors, costs and latencies are those of the scenario, deals them to
both versions as the gateway does, and looks at the evidence again and again, stage by stage, until the candidate is
rolled back, is live, or the budget is used up. What is printed is the share of the runs that were rolled back, with the
95 % interval of that share, and the median request at which they were.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from gateway.promotion.machine import REQUESTS, advance
from gateway.promotion.types import Limit, Rules, Stage, Standing
from routers.sequential.evidence import CLUSTERS, Row, sums_of
from routers.sequential.weights import Side, by_chance, by_side
from routers.sums import Sums

AT = datetime(2026, 1, 1, tzinfo=UTC)
RULES = Rules(
    "auto",
    "auto-next",
    "auto-next@0",
    (Stage("canary", 0.05), Stage("ramp", 0.25), Stage("ramp", 0.5), Stage("live", 1.0)),
    (Limit("quality", 0.03), Limit("errors", 0.02), Limit("cost", 0.2), Limit("latency", 0.2)),
    within=50_000,
)
#: Requests between two looks.
LOOK = 500


@dataclass(frozen=True, slots=True)
class Scenario:
    """What the candidate's answers are like, beside the live version's."""

    name: str
    rolled_back: bool
    quality: float = 0.0
    errors: float = 0.0
    cost: float = 0.0
    base_quality: float = 0.7
    base_errors: float = 0.01
    skew: float = 1.0
    rated: float = 1.0
    #: The part of the requests on which both versions choose the same model, known from both distributions.
    alike: float = 0.0
    #: Requests of a session, on average.
    turns: float = 1.0


SCENARIOS = (
    Scenario("quality -3 points", rolled_back=True, quality=-0.03),
    Scenario("errors +2 points", rolled_back=True, errors=0.02),
    Scenario("errors +2 points on 5 %", rolled_back=True, errors=0.02, base_errors=0.05),
    Scenario("cost +20 %", rolled_back=True, cost=0.2),
    Scenario("quality -3, half rated, 4 in 5 alike", rolled_back=True, quality=-0.03, rated=0.5, alike=0.8),
    Scenario("cost +20 %, long tail", rolled_back=True, cost=0.2, skew=1.3),
    Scenario("no difference", rolled_back=False),
    Scenario("no difference, rare errors", rolled_back=False, base_errors=0.001),
    Scenario("no difference, 1 in 20 rated", rolled_back=False, rated=0.05),
    Scenario("no difference, long tail", rolled_back=False, skew=1.6),
    Scenario("no difference, sessions of 5", rolled_back=False, turns=5.0),
    Scenario("no difference, 4 in 5 alike", rolled_back=False, alike=0.8),
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended, after how many requests."""

    state: str
    requests: int


def simulate(scenario: Scenario, rules: Rules, seed: int, look: int = LOOK) -> Ended:
    """Return how one promotion ends."""
    rng = np.random.default_rng(seed)
    standing = Standing(rules.version, rules.stages[0].state, rules.stages[0].share, 1, 1, AT, AT)
    sums, requests = Sums(), 0
    while standing.tested and requests < rules.within:
        sums += sums_of(rows(scenario, standing, rng, look))
        requests += look
        step = advance(standing, sums, rules)
        if step is not None:
            stage = step.stage
            standing = replace(standing, state=stage.state, share=stage.share, number=standing.number + 1)
    return Ended(standing.state, requests)


def rows(scenario: Scenario, standing: Standing, rng: np.random.Generator, count: int) -> list[Row]:
    """Return what is seen of `count` requests."""
    found: list[Row] = []
    while len(found) < 5 * count:
        turns = 1 if scenario.turns == 1 else int(rng.geometric(1 / scenario.turns))
        side: Side = "candidate" if rng.random() < standing.share else "live"
        cluster, mood = int(rng.integers(CLUSTERS)), rng.normal()
        for _ in range(turns):
            found += answer(scenario, standing, rng, side, (cluster, mood if scenario.turns > 1 else None))
    return found


def answer(
    scenario: Scenario, standing: Standing, rng: np.random.Generator, side: Side, unit: tuple[int, float | None]
) -> list[Row]:
    """Return what is seen of one request; `unit` is its session's cluster, and its mood where there are sessions."""
    cluster, mood = unit
    promoted = side == "candidate"
    alike = rng.random() < scenario.alike
    weights = by_chance(standing.share, 1, 1) if alike else by_side(side, standing.share)
    differs = promoted and not alike
    # The difference is that of the whole: where few requests are decided otherwise, it is the greater for those.
    scale = 1 / (1 - scenario.alike)
    level = 0.0 if mood is None else 0.2 * math.tanh(mood)
    good = rng.random() < scenario.base_quality + level + differs * scenario.quality * scale
    failed = rng.random() < scenario.base_errors + differs * scenario.errors * scale
    luck = rng.normal() if mood is None else 0.7 * mood + 0.7 * rng.normal()
    spread = math.exp(scenario.skew * luck)
    values = {
        f"{REQUESTS}{standing.number}": 0.0,
        "errors": float(failed),
        "cost": spread * (1 + differs * scenario.cost * scale),
        "latency": math.exp(rng.normal(0, 0.8)),
    }
    if rng.random() < scenario.rated:
        values["quality"] = float(good)
    weighed = weights.candidate, weights.live, weights.overlap
    return [Row(name, cluster, value, *weighed, promoted=promoted) for name, value in values.items()]


def interval(hits: int, runs: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson)."""
    z, share = 1.96, hits / runs
    middle = (share + z * z / (2 * runs)) / (1 + z * z / runs)
    half = z * math.sqrt(share * (1 - share) / runs + z * z / (4 * runs * runs)) / (1 + z * z / runs)
    return middle - half, middle + half


def main() -> None:
    """Run all scenarios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--only", default="")
    parser.add_argument("--look", type=int, default=LOOK)
    options = parser.parse_args()
    for scenario in SCENARIOS:
        if options.only in scenario.name:
            ends = [simulate(scenario, RULES, seed, options.look) for seed in range(options.runs)]
            back = [end.requests for end in ends if end.state == "rolled_back"]
            least, most = interval(len(back), len(ends))
            live = sum(end.state == "live" for end in ends)
            median = f"{np.median(back):.0f}" if back else "-"
            print(
                f"{scenario.name:40} rolled back {len(back) / len(ends):6.1%} [{least:.1%}, {most:.1%}]"
                f" at {median:>6}; live {live / len(ends):.1%}",
                flush=True,
            )


if __name__ == "__main__":
    main()

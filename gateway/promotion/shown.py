"""A promotion as operators see it: where it stands, the numbers with their bounds, and what is still needed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gateway.promotion.finding import findings
from gateway.promotion.machine import decided, may_rise, next_stage, served
from routers.sequential.needed import requests_needed
from routers.sums import Sums

if TYPE_CHECKING:
    from gateway.promotion.finding import Finding
    from gateway.promotion.types import Rules, Standing


def shown(rules: Rules, standing: Standing | None, sums: Sums) -> dict[str, Any]:
    """Return a promotion as JSON."""
    mine = standing if standing is not None and standing.version == rules.version else None
    state = {
        "object": "promotion",
        "policy": rules.policy,
        "candidate": rules.candidate,
        "version": rules.version,
        "state": mine.state if mine else "none",
        "share": mine.share if mine else 0.0,
        "since": mine.since.isoformat() if mine else None,
        "stages": [{"state": stage.state, "share": stage.share} for stage in rules.stages],
    }
    if mine is None or not mine.tested:
        return state
    found = findings(rules, sums, watching=mine.state == "shadow")
    above = next_stage(mine, rules)
    return state | {
        "requests": served(sums),
        "within": rules.within,
        "decided": decided(sums, mine),
        "min_requests": rules.min_requests,
        "may_rise": above is not None and may_rise(mine, sums, rules, found, above),
        "tests": {finding.limit.measure: _test(finding, rules, mine, served(sums)) for finding in found},
    }


def _test(finding: Finding, rules: Rules, standing: Standing, requests: int) -> dict[str, Any]:
    """Return what is known of a measure, and after how many more requests a regression is found, were there one."""
    share = standing.share or rules.widest
    seen = (finding.contrast.promoted + finding.contrast.kept) / requests if requests else 1.0
    missing = finding.information_needed() - (finding.contrast.information if finding.contrast.enough else 0.0)
    left = requests_needed(max(missing, 0.0), share, min(seen, 1.0))
    return finding.as_json() | {"requests_left": int(left) if math.isfinite(left) else None}


def budget_problem(rules: Rules) -> str | None:
    """Return what is wrong with the number of requests within which the tests are to decide; None: nothing.

    Before anything was seen, the usual spread of answers is planned with; where the two versions mostly choose alike,
    fewer requests do.
    """
    if not rules.widest:
        return None
    wanted = {
        finding.limit.measure: requests_needed(finding.information_needed(), rules.widest)
        for finding in findings(rules, Sums(), watching=False)
    }
    measure = max(wanted, key=lambda name: wanted[name])
    if wanted[measure] <= rules.within:
        return None
    return (
        f"{rules.within} requests may not show whether {measure} is within its margin: at a share of "
        f"{rules.widest:.0%} that takes some {wanted[measure]:.0f}, unless both versions mostly choose alike"
    )

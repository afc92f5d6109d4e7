"""What is noted, with a decision, of the comparison of two versions: plain JSON, from which the evidence is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routers.sequential.weights import Chances, Weights, by_chance, by_side, controls, covered, unserved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.deliberation import Routed
    from gateway.promotion.trial import Trial


def noted(trial: Trial, served: Routed | None, other: Routed | BaseException | None) -> dict[str, Any]:
    """Return what is noted of a request: by whom it was decided, how, and how much its outcome counts for each version.

    `served` is None where the version whose turn it was failed to decide, `other` where the other one was not asked.
    """
    standing = trial.standing
    known: dict[str, Any] = {
        "version": standing.version,
        "state": standing.state,
        "share": standing.share,
        "number": standing.number,
        "run": standing.run,
        "side": trial.side,
        "cluster": trial.cluster,
    }
    if not standing.tested:
        return known
    if isinstance(other, BaseException):
        known["other_failed"] = type(other).__name__
    pair = (served, other) if served is not None and not isinstance(other, BaseException | None) else None
    if pair is not None:
        known["other"] = {"chosen": pair[1].call.candidates[0].model, "propensities": dict(pair[1].call.propensities)}
    return known | (_watched(trial, pair) if standing.state == "shadow" else _counted(trial, pair))


def _counted(trial: Trial, pair: tuple[Routed, Routed] | None) -> dict[str, Any]:
    """Return the weights of a request that either version might have served."""
    share = trial.standing.share
    weights = by_side(trial.side, share)
    if pair is None or not all(routed.call.final for routed in pair):
        return _weights(weights)
    chances, chosen = _chances(trial, *pair), pair[0].call.candidates[0].model
    if alike(*pair):
        weights = by_chance(share, chances.candidate.get(chosen, 0.0), chances.live.get(chosen, 0.0))
    return _weights(weights) | _controls(weights, chances, chosen, *pair)


def _watched(trial: Trial, pair: tuple[Routed, Routed] | None) -> dict[str, Any]:
    """Return the weights of a request that the candidate only watched; none where it did not decide."""
    if pair is None:
        return {}
    chances, chosen = _chances(trial, *pair), pair[0].call.candidates[0].model
    if not alike(*pair):
        return {"covered": 0.0}  # the same model is asked otherwise: what it would have said is not known
    weights = unserved(chances.candidate.get(chosen, 0.0), chances.live[chosen])
    return _weights(weights) | {"covered": covered(chances.candidate, chances.live)}


def alike(one: Routed, other: Routed) -> bool:
    """Tell whether a model's answer would be the same under both decisions: asked alike, with the same to fall back on.

    What continues a session goes by who answered there before, which is not the same on both sides. A plan of several
    calls goes on from the model that it asks first, each in its own way.
    """
    if one.context.features.get("session.continues") is True or not (one.call.final and other.call.final):
        return False
    ways = [
        (
            routed.route.changes,
            routed.route.fallback,
            routed.route.timeouts,
            routed.route.attempts,
            routed.route.repeats,
            routed.route.bounds,
            routed.forbidden,
            sorted(candidate.model for candidate in routed.pool),
        )
        for routed in (one, other)
    ]
    return ways[0] == ways[1]


def _chances(trial: Trial, served: Routed, other: Routed) -> Chances:
    mine, others = served.call.propensities, other.call.propensities
    return Chances(mine, others) if trial.side == "candidate" else Chances(others, mine)


def _weights(weights: Weights) -> dict[str, Any]:
    return {"weights": [weights.candidate, weights.live, weights.overlap]}


def _controls(weights: Weights, chances: Chances, chosen: str, served: Routed, other: Routed) -> dict[str, Any]:
    """Return control variates by what was expected, of whichever decision expected something of every model."""
    found: dict[str, list[float]] = {}
    for measure, read in (("quality", _rewards), ("cost", _costs)):
        expected = {**read(other), **read(served)}
        pair = controls(weights, expected, chosen, chances)
        if any(pair):
            found[measure] = list(pair)
    return {"controls": found} if found else {}


def _rewards(routed: Routed) -> Mapping[str, float]:
    return {model: estimate.mean for model, estimate in routed.call.estimates.items()}


def _costs(routed: Routed) -> Mapping[str, float]:
    return routed.call.expected_cost_usd

"""From what was logged of a request to the evidence that it adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.learning.rewards import reward_of
from gateway.promotion.machine import REQUESTS
from routers.sequential.evidence import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.learning.rewards import RewardRules
    from gateway.store.base import LoggedEvent

#: Sums are kept to about 2e-10: costs are counted in thousandths of a dollar.
PER_USD: Final = 1000
#: Ends of a request that say nothing of who answered it.
NOT_THEIRS: Final = frozenset({"client_left", "gateway_stopped"})


def rows_of(event: LoggedEvent, run: int, rewards: RewardRules) -> list[Row]:
    """Return the evidence of a request, as far as it is known; none before its outcome, and of another run."""
    note = event.decision.trace.get("promotion")
    if not isinstance(note, dict) or note.get("run") != run or event.outcome is None or "cluster" not in note:
        return []
    watched = note["state"] == "shadow"
    return [_counted(note), *(_watched(event, note, rewards) if watched else _served(event, note, rewards))]


def _counted(note: Mapping[str, Any]) -> Row:
    """Return what counts the request; while the candidate watches, those count that it decided, or failed to."""
    decided = note["side"] == "candidate" or (note["state"] == "shadow" and ("other" in note or "other_failed" in note))
    return Row(f"{REQUESTS}{note['number']}", note["cluster"], 0.0, 0.0, 0.0, promoted=decided)


def _served(event: LoggedEvent, note: Mapping[str, Any], rewards: RewardRules) -> Iterator[Row]:
    if "weights" in note:
        yield from _measured(event, note, rewards, "", failed=note.get("failed") is True)


def _watched(event: LoggedEvent, note: Mapping[str, Any], rewards: RewardRules) -> Iterator[Row]:
    cluster = note["cluster"]
    if "other_failed" in note:
        yield Row("shadow:errors", cluster, 1.0, 1.0, 0.0, promoted=True)
        yield Row("shadow:errors", cluster, _failed(event) or 0.0, 0.0, 1.0)
    if "covered" in note:
        yield Row("shadow:covered", cluster, note["covered"], 1.0, 1.0, promoted=True)
    if "weights" in note:
        yield from _measured(event, note, rewards, "shadow:", failed=False)


def _measured(
    event: LoggedEvent, note: Mapping[str, Any], rewards: RewardRules, prefix: str, *, failed: bool
) -> Iterator[Row]:
    reward = reward_of(event, rewards)
    for measure, value in _values(event, failed=failed).items():
        yield _row(prefix + measure, note, value, 1.0)
    if reward is not None and not failed:
        yield _row(f"{prefix}quality", note, reward.value, reward.weight)


def _row(measure: str, note: Mapping[str, Any], value: float, trust: float) -> Row:
    candidate, live, overlap = note["weights"]
    scale = PER_USD if measure.endswith("cost") else 1.0
    one, other = note.get("controls", {}).get(measure, (0.0, 0.0))
    return Row(
        measure,
        note["cluster"],
        value,
        trust * candidate,
        trust * live,
        trust * overlap,
        (trust * scale * one, trust * scale * other),
        promoted=note["side"] == "candidate",
    )


def _values(event: LoggedEvent, *, failed: bool) -> dict[str, float]:
    """Return what is known of each measure but quality. A version that failed to decide has failed."""
    outcome = event.outcome
    if outcome is None:
        return {}
    if failed:
        return {"errors": 1.0}
    found: dict[str, float] = {}
    if (error := _failed(event)) is not None:
        found["errors"] = error
    if outcome.cost_usd is not None and outcome.served_by is not None:
        found["cost"] = float(outcome.cost_usd) * PER_USD
    if outcome.error is None:
        found["latency"] = outcome.latency_s
    return found


def _failed(event: LoggedEvent) -> float | None:
    """Return 1 for an answer that failed, 0 for one that came; None where neither can be said."""
    error = event.outcome.error if event.outcome else None
    return None if error in NOT_THEIRS else float(error is not None)

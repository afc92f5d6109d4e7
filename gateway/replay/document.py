"""A replay as plain JSON values: the schema is in docs/replay.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gateway.evaluation.report import finite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from gateway.replay.answer import Answer, Compared, Told
    from gateway.replay.report import Report
    from gateway.replay.settings import Settings
    from gateway.replay.verdict import Judged

    Entry = dict[str, Any]

VERSION: Final = 1
#: What the numbers rest on; nothing in a log can prove it.
ASSUMPTIONS: Final = (
    "What came of a choice does not depend on how the requests around it were decided.",
    "The logged probabilities are those that were drawn from.",
    "Whether an answer is rated depends on the request, its model and its age, and not on how good it is beyond that.",
    "A request that kept its session's model goes by the decision that it began with; others, as if none had begun.",
    "Money for exploring ends when it ended in the log, where a policy has a cap on it, and never where it has none.",
    "Requests to come are like those of the log.",
)


@dataclass(frozen=True, slots=True)
class About:
    """What was replayed: the command, when, the log, the policy and what it is compared with (`ran` is what ran)."""

    command: Sequence[str]
    now: datetime
    log: str
    policy: str
    baseline: str


def document(
    found: Report, about: About, settings: Settings, judged: Sequence[Judged], status: str, warnings: Sequence[str]
) -> Entry:
    """Return a replay as plain JSON values; what is no number becomes None."""
    counts = found.counts
    content: Entry = {
        "object": "policy.replay",
        "version": VERSION,
        "created": about.now.isoformat(),
        "command": list(about.command),
        "log": {"path": about.log, "first": found.span[0].isoformat(), "last": found.span[1].isoformat()},
        "policy": about.policy,
        "baseline": about.baseline,
        "settings": {
            "method": settings.method,
            "clusters": settings.clusters,
            "least_effective": settings.demands.least_effective,
            "most_unsupported": settings.demands.most_unsupported,
            "most_untold": settings.most_untold,
        },
        "requests": {
            "logged": counts.requests,
            "told": counts.told,
            "untold": dict(counts.untold),
            "deterministic": counts.deterministic,
            "kept_model_of_session": counts.kept,
            "by_first_decision_of_session": counts.inherited,
            "refused_by_policy": counts.refused,
            "rated": counts.rated,
        },
        "answers": {name: _answer(one) for name, one in found.answers.items()},
        "moved": found.moved,
        "models": [
            {
                "model": one.model,
                "share": one.new_share,
                "share_before": one.old_share,
                "unsupported": one.unsupported,
                "requests": one.requests,
                "rated": one.observed,
                "effective": one.effective,
            }
            for one in found.models
        ],
        "flows": [{"from": one.old, "to": one.new, "share": one.share} for one in found.flows],
        "weights": [{"above": one.low, "to": one.high, "requests": one.rows} for one in found.weights],
        "segments": [
            {"rule": one.rule, "requests": one.requests, "quality": _answer(one.quality), "cost": _answer(one.cost)}
            for one in found.segments
        ],
        "exploration": {
            "half_width": settings.half_width,
            "requests_a_day": found.a_day,
            "floors": [{"floor": one.floor, "rated_requests": one.requests} for one in found.explorations],
        },
        "warnings": list(warnings),
        "assumptions": [*ASSUMPTIONS, *_of_lots(found)],
        "requirement": {"status": status, "clauses": [_clause(one) for one in judged]} if judged else None,
    }
    plain: Entry = finite(content)
    return plain


def _of_lots(found: Report) -> list[str]:
    """Return what it rests on that not every answer was judged that was drawn to be."""
    if not found.judged:
        return []
    shares = ", ".join(f"{model} {share:.0%}" for model, share in found.judged.items())
    text = (
        f"Not all that was drawn to be judged was: of each model about {shares}, by which logged lots are multiplied. "
    )
    return [text + "Which answers were does not depend on how good they are beyond their model."]


def _answer(found: Answer) -> Entry:
    seen = found.overlap
    return {
        "refused": list(found.refused),
        "requests": seen.rows,
        "observed": seen.observed,
        "effective": seen.effective,
        "largest_weight": seen.largest,
        "unsupported": seen.unsupported,
        "mean_of_observed": found.naive,
        "ran": _told(found.ran),
        "estimates": None if found.refused else {method: _compared(one) for method, one in found.by.items()},
    }


def _compared(found: Compared) -> Mapping[str, Entry]:
    return {
        "policy": _told(found.new),
        "baseline": _told(found.old),
        "difference": _told(found.difference),
        "relative": _told(found.relative),
    }


def _told(found: Told) -> Entry:
    return {"value": found.value, "interval": None if found.interval is None else list(found.interval)}


def _clause(one: Judged) -> Entry:
    return {
        "clause": str(one.clause),
        "status": one.status,
        "judged_by": None if one.told is None else _told(one.told),
        "reasons": list(one.reasons),
    }

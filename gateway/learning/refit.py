"""For routers that do not learn online: the newest rated answers of the log, as the table that they are fitted to."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np

from gateway.learning.credit import Credit, Row, counted, observations
from gateway.learning.rewards import reward_of
from routers.types import Outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.learning.rewards import RewardRules
    from gateway.learning.subjects import Subject
    from gateway.store.base import Store
    from routers.observations import Observations

#: A table has no weights: what is trusted less than this is left out of it, the rest counts in full.
LEAST_WEIGHT: Final = 0.5
#: Decisions that are looked at for each rated one that is wanted, at most: ratings may be rare.
LOOKED_AT: Final = 20


def rated(log: Store, subject: Subject, rules: RewardRules) -> list[Row]:
    """Return the newest rated answers of a router, oldest first. Raises `StoreError`."""
    found = []
    wanted = subject.settings.window
    for event in log.joined(limit=wanted * LOOKED_AT, newest_first=True):
        reward = reward_of(event, rules) if subject.made(event.decision) and counted(event) else None
        if reward is not None and reward.weight >= LEAST_WEIGHT:
            found.append(Row(event, Credit.of(reward)))
            if len(found) == wanted:
                break
    return found[::-1]


def table(rows: Sequence[Row]) -> Outcomes:
    """Return the rows as a table with gaps: of each request, what came of the one model that answered it.

    The propensities are those of the draws. A request whose embedding is missing, or of another length than the newest
    one's, has zeros for it.
    """
    seen = observations(rows)
    models = tuple(sorted(set(seen.actions)))
    columns = [models.index(action) for action in seen.actions]
    return Outcomes(
        models=models,
        embeddings=_embeddings(seen),
        rewards=_spread(seen.rewards, columns, len(models)),
        costs_usd=_spread(seen.costs_usd, columns, len(models)),
        completion_tokens=_spread(seen.completion_tokens, columns, len(models)),
        latencies_s=_spread(seen.latencies_s, columns, len(models)),
        texts=tuple(context.text for context in seen.contexts),
        prompt_tokens=tuple(context.prompt_tokens for context in seen.contexts),
        propensities=seen.propensities,
    )


def fingerprint(rows: Sequence[Row]) -> str:
    """Return what tells these rows, and what is counted of them, from others."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(row.event.decision.id.bytes + np.float64(row.credit.value).tobytes())
    return digest.hexdigest()


def _embeddings(seen: Observations) -> np.ndarray:
    known = [context.embedding for context in seen.contexts if context.embedding is not None]
    length = len(known[-1]) if known else 0
    missing = np.zeros(length, np.float32)
    found = [
        context.embedding if context.embedding is not None and len(context.embedding) == length else missing
        for context in seen.contexts
    ]
    return np.stack(found)


def _spread(values: np.ndarray, columns: Sequence[int], width: int) -> np.ndarray:
    found = np.full((len(values), width), np.nan, np.float32)
    found[np.arange(len(values)), columns] = values
    return found

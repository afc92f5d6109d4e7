from __future__ import annotations

import numpy as np

from gateway.learning.refit import fingerprint, rated, table
from gateway.learning.rewards import RewardRules
from gateway.store.memory import MemoryStore
from tests.gateway.learning.lessons import decision, outcome, rating, subject

RULES = RewardRules()


def log_of(*events):
    log = MemoryStore()
    log.append(events)
    return log


def test_the_newest_rated_answers_become_a_table_with_gaps():
    """Oldest first; of each request what came of the one model that answered it, and how likely its draw was."""
    events = [
        event
        for n in range(6)
        for event in (decision(n), outcome(n, "small" if n % 2 else "large"), rating(f"{n}", n, n / 8))
    ]
    rows = rated(log_of(*events), subject(window=3), RULES)
    found = table(rows)

    assert ("large", "small") == found.models
    np.testing.assert_array_equal([[np.nan, 3 / 8], [4 / 8, np.nan], [np.nan, 5 / 8]], found.rewards)
    np.testing.assert_array_equal([[1, 0]] * 3, found.embeddings)
    assert (3, 3, 3) == found.prompt_tokens
    np.testing.assert_array_equal([0.9, np.nan, 0.9], found.propensities)
    assert fingerprint(rows) != fingerprint(rows[1:])


def test_what_is_hardly_trusted_is_left_out():
    """A table has no weights; what nobody has rated is left out, too, and so is what a plan of several calls returned."""
    log = log_of(
        *(decision(1), outcome(1), rating("a", 1, source="implicit")),
        *(decision(2), outcome(2), rating("b", 2, source="judge")),
        *(decision(3), outcome(3)),
        *(decision(4), rating("c", 4)),
        *(decision(5, policy="other"), outcome(5), rating("d", 5)),
        *(decision(6, trace={"plan": {"asks": ["small"]}}), outcome(6), rating("e", 6)),
    )
    assert [2] == [row.event.decision.id.int for row in rated(log, subject(), RULES)]


def test_a_missing_embedding_is_zeros():
    """As one of another length, which another encoder has made."""
    events = [event for n in range(3) for event in (decision(n), outcome(n), rating(f"{n}", n))]
    events[0] = decision(0, embedding=None)
    events[3] = decision(1, embedding=b"\x00\x00\x80?")
    found = table(rated(log_of(*events), subject(), RULES))

    np.testing.assert_array_equal([[0, 0], [0, 0], [1, 0]], found.embeddings)

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routers.evaluation.off_policy.expectations import Observed, cross_fitted
from routers.evaluation.off_policy.features import COMPONENTS, LENGTHS, features_of
from routers.evaluation.off_policy.folds import FOLDS, folds_of
from routers.evaluation.off_policy.logged import Logged, quantity, sample
from routers.evaluation.off_policy.observing import LEAST, chances, seen_weights


def log(n=1000, models=3, seed=0, **changes) -> Logged:
    """Return a log of requests drawn evenly."""
    rng = np.random.default_rng(seed)
    made = {
        "probabilities": np.full((n, models), 1 / models),
        "actions": rng.integers(0, models, n),
        "embeddings": rng.normal(size=(n, 8)).astype(np.float32),
        "tokens": rng.integers(1, 1000, n).astype(float),
        "ages": np.linspace(1e5, 0, n),
        "clusters": np.arange(n),
        **changes,
    }
    return Logged(**made)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 30), max_size=200))
def test_a_cluster_is_in_one_part(clusters):
    """So that nothing is expected of a session by what came of the same session."""
    parts = folds_of(np.array(clusters, np.intp))
    seen = {}

    assert all(seen.setdefault(cluster, part) == part for cluster, part in zip(clusters, parts, strict=True))
    assert set(parts) <= set(range(FOLDS))


def test_features_need_no_embeddings():
    """Then the length alone tells something."""
    assert (5, LENGTHS) == features_of(np.zeros((5, 0), np.float32), np.arange(5.0)).shape
    assert (5, LENGTHS) == features_of(np.zeros((5, 384), np.float32), np.arange(5.0)).shape
    assert not features_of(np.zeros((5, 0), np.float32), np.ones(5)).any()


def test_features_are_the_first_components():
    """At most so many, the first with the variance one; a row without an embedding is in the middle."""
    embeddings = np.random.default_rng(0).normal(size=(100, 40)).astype(np.float32)
    embeddings[0] = 0
    found = features_of(embeddings, np.arange(100.0))

    assert (100, LENGTHS + COMPONENTS) == found.shape
    assert 1.0 == pytest.approx((found[1:, LENGTHS] ** 2).mean(), rel=0.02)
    assert not found[0, LENGTHS:].any()


def test_expectations_follow_model_and_request():
    """What is linear in the length and in the embedding is found, of models that were not drawn as well."""
    of = log(4000)
    slope = of.embeddings[:, 0] / of.embeddings[:, 0].std()
    truth = np.column_stack([0.5 + 0.1 * slope, 0.5 - 0.1 * slope, 0.001 * of.tokens])
    values = truth[np.arange(4000), of.actions]
    found = quantity(of, values).expected

    assert np.corrcoef(found[:, 0], truth[:, 0])[0, 1] > 0.95
    assert np.corrcoef(found[:, 2], truth[:, 2])[0, 1] > 0.95


@settings(max_examples=25)
@given(st.integers(0, 199), st.floats(-100, 100))
def test_nothing_is_expected_of_a_row_by_its_own_value(row, value):
    """But for the bounds: they are of all rows."""
    of = log(200)
    values = np.random.default_rng(1).random(200)
    values[np.array([150, 151, 152]) if row < 100 else np.array([0, 1, 2])] = [-100.0, 100.0, 0.0]
    changed = values.copy()
    changed[row] = value
    before, after = (
        cross_fitted(Observed(of.features, of.actions, one, np.ones(200)), 3, of.folds)[row]
        for one in (values, changed)
    )

    assert before == pytest.approx(after)


def test_expectations_stay_within_what_was_observed():
    """A reward is at most one."""
    of = log(300)
    found = quantity(of, (of.embeddings[:, 0] > 0).astype(float)).expected

    assert (found >= 0).all()
    assert (found <= 1).all()


def test_a_model_that_was_never_observed_is_expected_to_be_as_the_others():
    """And where nothing at all was, nothing is expected."""
    of = replace(log(500), actions=np.random.default_rng(0).integers(0, 2, 500))
    found = quantity(of, np.where(of.actions == 0, 0.2, 0.4)).expected

    assert 0.3 == pytest.approx(found[:, 2].mean(), abs=0.02)
    assert np.isnan(quantity(of, np.full(500, np.nan)).expected).all()


def test_the_chance_of_a_rating_is_found_by_model_and_age():
    """One model is rated thrice as often as another, and what is young is not yet."""
    of = log(6000)
    chance = np.array([0.2, 0.4, 0.6])[of.actions]
    seen = (np.random.default_rng(2).random(6000) < chance).astype(float)
    found = chances(of.features, of.actions, seen, of.folds)

    for model, share in enumerate([0.2, 0.4, 0.6]):
        assert share == pytest.approx(found[of.actions == model].mean(), abs=0.03)


def test_where_all_is_seen_nothing_is_weighed():
    """Nor is anything fitted."""
    of = log(50)

    assert (chances(of.features, of.actions, np.ones(50), of.folds) == 1).all()


@settings(max_examples=25)
@given(st.integers(0, 100), st.floats(0, 1))
def test_chances_are_chances(seed, share):
    """Never so small that one rating outweighs all, nor above one."""
    of = log(60, seed=seed)
    seen = (np.random.default_rng(seed).random(60) < share).astype(float)
    found = chances(of.features, of.actions, seen, of.folds)

    assert ((found >= LEAST) & (found <= 1)).all()
    assert (seen_weights(seen, found)[seen == 0] == 0).all()


def test_known_chances_are_taken_as_they_are():
    """Whoever draws lots knows them."""
    of = log(100)
    values = np.where(np.arange(100) % 2 == 0, 1.0, np.nan)
    known = np.where(np.arange(100) < 50, 0.25, np.nan)
    found = quantity(of, values, known=known)

    assert 4.0 == found.seen[0]
    assert 4.0 != found.seen[60]


def test_a_value_that_is_trusted_by_half_is_half_observed():
    """Trust in all alike changes nothing."""
    of = log(400)
    values = np.random.default_rng(0).random(400)
    half = quantity(of, values, trust=np.full(400, 0.5))

    assert 1.0 == pytest.approx(half.seen.mean(), abs=0.05)
    assert quantity(of, values).expected == pytest.approx(half.expected, abs=0.1)


def test_a_sample_has_the_policy_and_the_log():
    """Nothing else is copied."""
    of = log(10)
    known = quantity(of, np.ones(10))
    found = sample(of, known, np.eye(3)[of.actions])

    assert (3.0 == found.weights).all()
    assert 5 == found.take(np.arange(5)).n

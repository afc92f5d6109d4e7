import json
import math
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.checks.cases import POOL, contexts, outcomes
from routers.costs.regression import Regression
from routers.drive import drive
from routers.estimating import EstimatingRouter
from routers.estimators.constant import Constant
from routers.estimators.knn import KNN
from routers.rules.floor import Floor
from routers.rules.greedy import Greedy
from routers.rules.softmax import Softmax
from routers.rules.thompson import Thompson
from routers.state import read_manifest
from routers.types import Answer, Candidate, Context, Outcomes, Price, StateError
from routers.utilities.adequate import Adequate
from routers.utilities.affordable import Affordable

CONTEXT = Context("", prompt_tokens=256)
STATE = Path(__file__).parents[2] / "configs" / "state" / "auto"


def priced(model, usd):
    """Return a candidate of one price for all tokens, in USD a million."""
    return Candidate(model, Price(input=Decimal(usd), output=Decimal(usd)))


CHEAP, DEAR = priced("cheap", 1), priced("dear", 10)


def knowing(rule=None, w=0.7, utility=None, **rewards):
    """Return a router over constant rewards, by model."""
    router = EstimatingRouter(Constant(), rule or Greedy(), w, utility)
    row = np.array([list(rewards.values())], np.float32)
    gap = np.full_like(row, np.nan)
    router.learn(Outcomes(tuple(rewards), np.zeros((1, 2), np.float32), row, gap, gap))
    return router


def first_call(router, pool, seed=0, context=CONTEXT):
    """Return the call that a plan begins with."""
    return next(router.plan(context, pool, Random(seed)))


def chosen(router, pool):
    """Return the model that a plan begins with."""
    return first_call(router, pool).candidates[0].model


def test_takes_the_dearer_where_it_is_worth_its_price():
    """At w = 0.7 the dearest costs 3/7 of a reward: 0.9 pays against 0.4 for a tenth of the price, 0.7 does not."""
    assert "dear" == chosen(knowing(cheap=0.4, dear=0.9), [CHEAP, DEAR])
    assert "cheap" == chosen(knowing(cheap=0.4, dear=0.7), [CHEAP, DEAR])


def test_tie_goes_to_the_cheaper():
    """Equal quality at w = 1, where cost counts for nothing else."""
    assert "b" == chosen(knowing(w=1.0, a=0.5, b=0.5), [priced("a", 10), priced("b", 1)])


def test_tie_in_cost_goes_to_the_first_name():
    """Two models of one price and one quality."""
    assert "a" == chosen(knowing(a=0.5, b=0.5), [priced("b", 1), priced("a", 1)])


def test_weight_of_zero_takes_the_cheapest():
    """However good the other."""
    assert "cheap" == chosen(knowing(w=0.0, cheap=0.0, dear=1.0), [DEAR, CHEAP])


def test_weight_of_zero_breaks_ties_by_quality():
    """Of the cheapest, the best."""
    assert "b" == chosen(knowing(w=0.0, a=0.1, b=0.9), [priced("a", 1), priced("b", 1), DEAR])


def test_unknown_cost_counts_as_the_dearest_known():
    """A model without a price is not preferred for it: it has to be as good as the dearest would."""
    router = knowing(cheap=0.4, dear=0.4, free=0.7)

    assert "cheap" == chosen(router, [CHEAP, DEAR, Candidate("free")])
    assert {"cheap", "dear"} == set(first_call(router, [CHEAP, DEAR, Candidate("free")]).expected_cost_usd)


def test_says_so_where_no_cost_is_known():
    """Quality alone decides, and the log says why."""
    call = first_call(knowing(a=0.4, b=0.9), [Candidate("a"), Candidate("b")])

    assert ("b", "constant*greedy w=0.7 cost=unknown") == (call.candidates[0].model, call.why)


def test_why_names_the_parts_and_the_dial():
    """A floor is part of it."""
    router = EstimatingRouter(KNN(), Floor(Thompson(), 0.02), 0.25)

    assert "knn*thompson floor=0.02 w=0.25" == first_call(router, [CHEAP]).why


def test_why_names_another_utility_than_the_linear_one():
    """What the dial means depends on it."""
    assert "constant*adequate*greedy w=0.7" == first_call(knowing(utility=Adequate(), cheap=0.5), [CHEAP]).why


def test_utility_weighs():
    """The same estimates and costs, and another choice: 0.7 is not good enough, 0.9 is."""
    pool = [CHEAP, DEAR]

    assert "cheap" == chosen(knowing(utility=Adequate(quality_floor=0.6), cheap=0.7, dear=0.9), pool)
    assert "dear" == chosen(knowing(utility=Adequate(quality_floor=0.8), cheap=0.7, dear=0.9), pool)


def test_latency_is_the_models_mean(tmp_path):
    """It is learned and saved with the rest; a deadline rules out the slow."""
    router, loaded = (EstimatingRouter(Constant(), Greedy(), 1.0, Affordable(deadline_s=2.5)) for _ in range(2))
    rewards = np.array([[0.5, 0.9]] * 2, np.float32)
    gap, seconds = np.full_like(rewards, np.nan), np.array([[1.0, 2.0], [np.nan, 4.0]], np.float32)
    router.learn(Outcomes(("cheap", "dear"), np.zeros((2, 2), np.float32), rewards, gap, gap, seconds))

    router.save(tmp_path)
    loaded.load(tmp_path)

    assert ["cheap", "cheap"] == [chosen(r, [CHEAP, DEAR]) for r in (router, loaded)]


def test_state_without_latencies_is_state():
    """What was written before they were learned, or where nobody measured, is loaded all the same."""
    router = EstimatingRouter(KNN(neighbours=20, shrinkage=2), Greedy())

    router.load(STATE)

    assert ("smollm2-135m", "gemma3-270m") == router.costs.models


def test_costs_are_a_part(tmp_path):
    """What they read is required, what they expect is in the call, and state says which they were."""
    router = EstimatingRouter(Constant(), Greedy(), costs=Regression())
    router.learn(outcomes(60))
    router.save(tmp_path)
    call = first_call(router, POOL)

    assert "embedding" in router.requires
    assert router.costs.predict([CONTEXT], POOL)[0].tolist() == [call.expected_cost_usd[c.model] for c in POOL]
    assert "estimating(constant, regression)" == read_manifest(tmp_path).router
    with pytest.raises(StateError, match=r"not 'estimating\(constant\)'"):
        EstimatingRouter(Constant(), Greedy()).load(tmp_path)


def test_call_carries_what_it_was_computed_from():
    """Estimates are rewards, not utilities; costs are USD."""
    call = first_call(knowing(cheap=0.25, dear=0.75), [CHEAP, DEAR])

    assert {"cheap": 0.25, "dear": 0.75} == {model: e.mean for model, e in call.estimates.items()}
    assert pytest.approx({"cheap": 0.000512, "dear": 0.00512}) == call.expected_cost_usd


def test_view_has_its_own_dial_and_shares_what_is_learned():
    """The dial of a request does not touch the policy's, and learning shows in both."""
    router = knowing(cheap=0.4, dear=0.9)
    view = router.with_quality_weight(0.1)

    assert ("dear", "cheap") == (chosen(router, [CHEAP, DEAR]), chosen(view, [CHEAP, DEAR]))
    assert view.estimator is router.estimator
    assert view.costs is router.costs


class Counting(Constant):
    """Count the batches that it predicts."""

    batches = 0

    def predict(self, contexts, candidates):
        """Count, and predict."""
        self.batches += 1
        return super().predict(contexts, candidates)


def counting():
    """Return a router over an estimator that counts, and three contexts."""
    router = EstimatingRouter(Counting(), Softmax())
    router.learn(outcomes(60))
    return router, contexts(3)


def test_prepared_decides_as_unprepared_wherever_the_dial_stands():
    """The calls are the same, down to the log's reasons."""
    router = EstimatingRouter(KNN(neighbours=5), Softmax())
    router.learn(outcomes(60))
    several = contexts(5)
    prepared = router.prepared(several, POOL)

    for w in (0.0, 0.3, 1.0):
        for context in several:
            one, other = (first_call(r.with_quality_weight(w), POOL, context=context) for r in (router, prepared))
            assert one == other


def test_prepared_expects_once():
    """One batch for all contexts; the dial, and views of it, need no other."""
    router, several = counting()
    prepared = router.prepared(several, POOL)
    for w in (0.0, 0.5, 1.0):
        for context in several:
            first_call(prepared.with_quality_weight(w), POOL, context=context)

    assert 1 == router.estimator.batches


def test_prepared_knows_its_contexts_by_identity():
    """An equal context is another one, and so is a smaller pool; both are planned as ever."""
    router, several = counting()
    prepared = router.prepared(several, POOL)
    equal, fewer = replace(several[0]), POOL[1:]

    assert first_call(router, POOL, context=equal) == first_call(prepared, POOL, context=equal)
    assert first_call(router, fewer, context=several[0]) == first_call(prepared, fewer, context=several[0])
    assert 5 == router.estimator.batches


def test_prepared_forgets_when_it_learns():
    """What was expected before is not expected any more; the router that it came from was never prepared."""
    router, several = counting()
    prepared = router.prepared(several, POOL)
    prepared.learn(outcomes(60, seed=2))

    assert first_call(router, POOL, context=several[0]) == first_call(prepared, POOL, context=several[0])
    assert 3 == router.estimator.batches


@pytest.mark.parametrize("w", [-0.1, 1.1, math.nan])
def test_refuses_a_dial_beyond_its_ends(w):
    """In the constructor and in a view."""
    with pytest.raises(ValueError, match=f"quality_weight={w}"):
        EstimatingRouter(Constant(), Greedy(), w)
    with pytest.raises(ValueError, match=f"quality_weight={w}"):
        knowing(a=1.0).with_quality_weight(w)


def test_refuses_an_empty_pool():
    """There is nothing to plan."""
    with pytest.raises(ValueError, match="no candidate"):
        first_call(knowing(a=1.0), [])


def test_finishes_with_a_failed_answer_too():
    """Failure is dispatch's business."""
    answer = Answer(CHEAP, error="timeout")

    _, finish = drive(knowing(cheap=1.0).plan(CONTEXT, [CHEAP], Random(0)), lambda _: answer)

    assert answer is finish.answer


def test_uses_the_embedding():
    """Neighbours in one direction do well with one model, in the other with the other."""
    router = EstimatingRouter(KNN(neighbours=1, shrinkage=0.0), Greedy(), 1.0)
    gap = np.full((2, 2), np.nan, np.float32)
    router.learn(Outcomes(("a", "b"), np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32), gap, gap))

    models = [
        first_call(router, [Candidate("a"), Candidate("b")], context=Context("", 1, np.array(e, np.float32)))
        .candidates[0]
        .model
        for e in ([1, 0], [0, 1])
    ]

    assert ["a", "b"] == models


REWARDS = st.lists(st.integers(0, 100).map(lambda q: q / 100), min_size=2, max_size=5)
PRICES = st.lists(st.none() | st.integers(0, 50), min_size=5, max_size=5)
WEIGHTS = st.integers(0, 100).map(lambda w: w / 100)
RULES = st.sampled_from([Greedy(), Floor(Greedy()), Softmax(), Thompson(draws=50)])


def pool_of(rewards, prices):
    """Candidates m0, m1, ... with or without a price."""
    return [Candidate(f"m{i}") if prices[i] is None else priced(f"m{i}", prices[i]) for i in range(len(rewards))]


@given(REWARDS, PRICES, WEIGHTS, RULES, st.randoms(use_true_random=False))
def test_distribution_covers_the_pool_in_any_order(rewards, prices, w, rule, random):
    """Probabilities sum to one over all candidates, and shuffling the pool changes nothing."""
    router = knowing(rule, w, **{f"m{i}": q for i, q in enumerate(rewards)})
    pool = pool_of(rewards, prices)
    shuffled = random.sample(pool, len(pool))

    call, other = first_call(router, pool), first_call(router, shuffled)

    assert {candidate.model for candidate in pool} == call.propensities.keys()
    assert pytest.approx(1, abs=1e-9) == math.fsum(call.propensities.values())
    assert (call.propensities, call.candidates) == (other.propensities, other.candidates)


@given(REWARDS, PRICES, WEIGHTS, WEIGHTS)
def test_dearer_money_never_buys_dearer_answers(rewards, prices, w, v):
    """The expected cost of the greedy choice does not rise as the weight of quality falls."""
    costs = [0 if price is None else price for price in prices]
    pool = pool_of(rewards, costs)
    router = knowing(**{f"m{i}": q for i, q in enumerate(rewards)})

    def spent(weight):
        call = first_call(router.with_quality_weight(weight), pool)
        return call.expected_cost_usd[call.candidates[0].model]

    assert spent(min(w, v)) <= spent(max(w, v)) * (1 + 1e-9)


@given(REWARDS, PRICES, WEIGHTS, st.sampled_from([2, 4, 1024]))
def test_dial_has_no_unit(rewards, prices, w, factor):
    """Multiplying every price by the same factor changes no decision."""
    router = knowing(Softmax(), w, **{f"m{i}": q for i, q in enumerate(rewards)})
    dearer = [None if price is None else price * factor for price in prices]

    one, other = (first_call(router, pool_of(rewards, p)).propensities for p in (prices, dearer))

    assert pytest.approx(one) == other


@given(st.integers(0, 2**32))
def test_same_seed_same_calls(seed):
    """Randomness is what was given."""
    router = knowing(Softmax(1.0), cheap=0.4, dear=0.9)

    assert first_call(router, [CHEAP, DEAR], seed) == first_call(router, [CHEAP, DEAR], seed)


@given(st.integers(1, 80), st.integers(0, 5))
def test_memory_is_bounded(batch, seed):
    """No more rows are kept than allowed, whatever the size of the batches."""
    router = EstimatingRouter(KNN(max_rows=50), Greedy())
    for _ in range(3):
        router.learn(outcomes(batch, seed))

    assert min(3 * batch, 50) == len(router.estimator.state()["rewards"])


def test_saved_state_is_small_and_its_bytes_repeat(tmp_path):
    """The same content written twice is the same two files."""
    router = EstimatingRouter(KNN(), Greedy())
    router.learn(outcomes(100))
    for name in ("one", "two"):
        router.save(tmp_path / name, encoder="sha256:abc", metadata={"table": "sha256:def"})

    one, two = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("one", "two"))

    assert one == two
    assert {"state.npz", "state.json"} == one.keys()
    assert len(one["state.npz"]) < 100 * (8 * 2 + 3 * 4) + 3000


def test_manifest_names_what_was_learned(tmp_path):
    """The router's kind, the models, the encoder and the caller's own facts are there to read."""
    router = knowing(cheap=0.4, dear=0.9)
    router.save(tmp_path, encoder="sha256:abc", metadata={"fitted_at": "2026-01-02"})

    manifest = read_manifest(tmp_path)

    assert ("estimating(constant)", ("cheap", "dear")) == (manifest.router, manifest.models)
    assert ("sha256:abc", {"fitted_at": "2026-01-02"}) == (manifest.encoder, manifest.metadata)


def test_state_of_another_estimator_is_refused(tmp_path):
    """A table of neighbours is no table of means."""
    knowing(a=1.0).save(tmp_path)

    with pytest.raises(StateError, match=r"written by 'estimating\(constant\)', not 'estimating\(knn\)'"):
        EstimatingRouter(KNN(), Greedy()).load(tmp_path)


def test_state_without_an_array_is_refused(tmp_path):
    """The message names what is missing."""
    estimator = Constant()
    estimator.state = lambda: {"models": np.array(["a"])}
    EstimatingRouter(estimator, Greedy()).save(tmp_path)

    with pytest.raises(StateError, match=r"lacks the array 'moments'; run `pointsman train`"):
        knowing(a=1.0).load(tmp_path)


def test_rule_and_dial_are_configuration_not_state(tmp_path):
    """State learned under one rule serves another."""
    knowing(Greedy(), 0.7, cheap=0.4, dear=0.9).save(tmp_path)
    other = EstimatingRouter(Constant(), Softmax(), 1.0)

    other.load(tmp_path)

    assert 0.9 == pytest.approx(first_call(other, [CHEAP, DEAR]).estimates["dear"].mean)
    assert "quality_weight" not in json.loads((tmp_path / "state.json").read_text())


def test_price_change_needs_no_fitting():
    """The same state prices a candidate as it is today."""
    router = knowing(cheap=0.4, dear=0.6)

    assert "cheap" == chosen(router, [CHEAP, DEAR])
    assert "dear" == chosen(router, [CHEAP, replace(DEAR, price=CHEAP.price)])


def test_learned_router_beats_random_on_a_known_optimum():
    """Where one model is best in one direction and another in the other, neighbours find it out."""
    router = EstimatingRouter(KNN(neighbours=20), Greedy(), 1.0)
    router.learn(outcomes(400))
    pool = [candidate for candidate in POOL if candidate.model in {"small", "large"}]

    right = [
        (context.embedding[0] > 0) == (first_call(router, pool, context=context).candidates[0].model == "large")
        for context in contexts(200, seed=7)
    ]

    assert sum(right) / len(right) > 0.75

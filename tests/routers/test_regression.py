from decimal import Decimal

import numpy as np
import pytest

from routers.checks import check_costs
from routers.costs.regression import Regression
from routers.types import Candidate, Context, Outcomes, Price

PRICED = Candidate("a", Price(input=Decimal(2), output=Decimal(10)))
BARE = Candidate("a")


def table(prompts, costs_usd=None, tokens=None, embeddings=None, models=("a",)):
    """Return outcomes of one model or several, of which rewards are unknown."""
    n, m = len(prompts), len(models)
    gap = np.full((n, m), np.nan, np.float32)
    costs = gap if costs_usd is None else np.array(costs_usd, np.float32).reshape(n, m)
    lengths = gap if tokens is None else np.array(tokens, np.float32).reshape(n, m)
    vectors = np.zeros((n, 2), np.float32) if embeddings is None else np.array(embeddings, np.float32)
    return Outcomes(models, vectors, gap, costs, lengths, prompt_tokens=tuple(prompts))


def learned(*tables, alpha=1e-6):
    """Return costs that learned these tables, with next to no ridge."""
    costs = Regression(alpha=alpha)
    for outcomes in tables:
        costs.learn(outcomes)
    return costs


def usd(costs, candidate, prompt_tokens=99, embedding=None):
    """Return the cost to expect of one request."""
    vector = None if embedding is None else np.array(embedding, np.float32)
    return costs.predict([Context("", prompt_tokens, vector)], [candidate]).item()


def test_passes_the_battery():
    """As all costs must."""
    check_costs(lambda: Regression(max_rows=100))


def test_learns_how_costs_grow_with_the_prompt():
    """Costs in proportion to one more than the prompt's tokens are a straight line of logarithms."""
    costs = learned(table([9, 99, 999], costs_usd=[0.01, 0.1, 1.0]))

    assert pytest.approx(0.05, rel=1e-3) == usd(costs, BARE, prompt_tokens=49)


def test_prices_the_predicted_completion():
    """99 prompt tokens at 2 USD and 99 completion tokens at 10 USD a million: lengths are learned, prices are not."""
    costs = learned(table([9, 99, 999], tokens=[9, 99, 999], costs_usd=[7, 7, 7]))

    assert pytest.approx((99 * 2 + 99 * 10) / 1e6, rel=1e-3) == usd(costs, PRICED)


def test_uses_the_embedding():
    """Requests in one direction get long answers, those in the other short ones."""
    costs = learned(table([9] * 4, tokens=[9, 9, 99, 99], embeddings=[[1, 0], [1, 0], [0, 1], [0, 1]]))

    short, long = (usd(costs, PRICED, 9, embedding) for embedding in ([1, 0], [0, 1]))

    assert pytest.approx((18 + 90) / 1e6, rel=1e-3) == short
    assert pytest.approx((18 + 990) / 1e6, rel=1e-3) == long


def test_undoes_the_bias_of_the_logarithm():
    """Where nothing explains the costs, the mean is expected (2.5), not the geometric mean (2)."""
    assert pytest.approx(2.5) == usd(learned(table([9, 9], costs_usd=[1, 4])), BARE, 9)


def test_ridge_draws_few_rows_to_the_mean():
    """The stronger, the nearer."""
    near, far = (usd(learned(table([9, 999], costs_usd=[1, 3]), alpha=a), BARE, 999) for a in (1000.0, 0.01))

    assert pytest.approx(2.0, abs=0.02) == near
    assert pytest.approx(3.0, abs=0.02) == far


@pytest.mark.parametrize(("prompt_tokens", "expected"), [(0, 0.01), (10**9, 1.0)])
def test_stays_within_the_range_seen(prompt_tokens, expected):
    """A line leads anywhere; what was seen does not."""
    costs = learned(table([9, 99, 999], costs_usd=[0.01, 0.1, 1.0]))

    assert pytest.approx(expected) == usd(costs, BARE, prompt_tokens)


def test_free_model_costs_zero():
    """Zero has no logarithm, and is expected all the same."""
    assert 0.0 == usd(learned(table([9, 99], costs_usd=[0, 0])), BARE)


def test_cost_stands_in_for_tokens_that_nobody_counted():
    """With a price too: what was paid is better evidence than a default length."""
    assert pytest.approx(7.0) == usd(learned(table([9, 99], costs_usd=[7, 7])), PRICED)


def test_unobserved_model_costs_what_the_mean_says():
    """A default completion at its price; without a price it is unknown, which is not zero."""
    costs = learned(table([9, 99], costs_usd=[7, 7]))

    assert pytest.approx((99 * 2 + 256 * 10) / 1e6) == usd(costs, Candidate("b", PRICED.price))
    assert np.isnan(usd(costs, Candidate("b")))


def test_gaps_do_not_count():
    """Each model is fitted to the rows that it was observed on."""
    nan = np.nan
    costs = learned(table([9, 99, 999], costs_usd=[[1, nan], [nan, 5], [1, 5]], models=("a", "b")))

    assert pytest.approx(1.0) == usd(costs, BARE)
    assert pytest.approx(5.0) == usd(costs, Candidate("b"))


def test_missing_signals_count_as_their_means():
    """In a request and in a row."""
    costs = learned(table([99, 99, 99], costs_usd=[1, 3, 2], embeddings=[[1, 0], [0, 1], [0, 0]]))

    assert pytest.approx(2.0, rel=0.1) == usd(costs, BARE)
    assert pytest.approx(1.0, rel=0.1) == usd(costs, BARE, 99, [1, 0])


def test_rows_without_lengths_are_learned():
    """A table that does not say how long its prompts were."""
    outcomes = table([], costs_usd=[], models=("a",))
    costs = learned(outcomes)
    assert np.isnan(usd(costs, BARE))

    one = np.ones((1, 1), np.float32)
    costs.learn(Outcomes(("a",), np.zeros((1, 2), np.float32), one, one, np.full((1, 1), np.nan, np.float32)))

    assert pytest.approx(1.0) == usd(costs, BARE)


def test_learning_one_by_one_is_learning_at_once():
    """A new model becomes a column, wherever it arrives."""
    parts = [table([9], tokens=[5], embeddings=[[1, 0]]), table([99], tokens=[7], embeddings=[[0, 1]], models=("b",))]
    whole = table([9, 99], tokens=[[5, np.nan], [np.nan, 7]], embeddings=[[1, 0], [0, 1]], models=("a", "b"))

    for model in ("a", "b"):
        candidate = Candidate(model, PRICED.price)
        assert pytest.approx(usd(learned(whole), candidate)) == usd(learned(*parts), candidate)


def test_oldest_rows_go():
    """Beyond `max_rows`."""
    costs = Regression(max_rows=2)
    costs.learn(table([9, 9, 9], costs_usd=[100, 1, 1]))

    assert pytest.approx(1.0) == usd(costs, BARE)


def test_other_encoder_is_refused():
    """In learning and in predicting."""
    costs = learned(table([9], costs_usd=[1]))

    with pytest.raises(ValueError, match="3 numbers but those learned have 2: the encoder was changed"):
        usd(costs, BARE, 9, [1, 0, 0])
    with pytest.raises(ValueError, match="3 numbers but those learned have 2: the encoder was changed"):
        costs.learn(table([9], costs_usd=[1], embeddings=[[1, 0, 0]]))


def test_finds_a_planted_law():
    """Lengths that follow the prompt and one direction are predicted well on requests not seen."""
    generator = np.random.default_rng(0)
    embeddings = generator.standard_normal((300, 4)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    prompts = generator.integers(10, 2000, 300)
    costs_usd = np.exp(0.8 * np.log1p(prompts) + embeddings[:, 0] + 0.1 * generator.standard_normal(300))
    costs = Regression()
    costs.learn(table(prompts[:200].tolist(), costs_usd=costs_usd[:200], embeddings=embeddings[:200]))

    contexts = [Context("", int(p), e) for p, e in zip(prompts[200:], embeddings[200:], strict=True)]
    expected = costs.predict(contexts, [BARE])[:, 0]

    residual = ((expected - costs_usd[200:]) ** 2).sum() / ((costs_usd[200:] - costs_usd[200:].mean()) ** 2).sum()
    assert residual < 0.1


@pytest.mark.parametrize(("options", "message"), [({"alpha": 0}, "alpha=0 must"), ({"max_rows": 0}, "max_rows=0 must")])
def test_refuses_options_without_a_meaning(options, message):
    """The message names the option and its value."""
    with pytest.raises(ValueError, match=message):
        Regression(**options)

from __future__ import annotations

from decimal import Decimal
from random import Random

import numpy as np
import pytest

from routers.cells import Cells
from routers.costs.mean import Mean
from routers.costs.running import Running
from routers.estimating import EstimatingRouter
from routers.estimators.bayesian_linear import BayesianLinear
from routers.estimators.constant import Constant
from routers.estimators.irt import IRT
from routers.rules.greedy import Greedy
from routers.siblings import BORROWED_ROWS, DISTANCE, completion_tokens, stand_in, with_borrowed
from routers.types import Candidate, Context, Incumbent, Outcomes, Price

D = 8
PRICE = Price(Decimal(1), Decimal(10))


def pool(*names):
    return [Candidate(name, PRICE) for name in names]


def table(names, rewards, tokens=None, embeddings=None):
    """Return outcomes of some models."""
    rewards = np.array(rewards, np.float32)
    gap = np.full_like(rewards, np.nan)
    if embeddings is None:
        embeddings = np.tile(np.eye(D, dtype=np.float32), (len(rewards) // D + 1, 1))[: len(rewards)]
    lengths = gap if tokens is None else np.tile(np.array(tokens, np.float32), (len(rewards), 1))
    return Outcomes(tuple(names), embeddings, rewards, gap, lengths)


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("m@high", ["m@low", "m@medium", "n@high"], "m@medium"),
        ("m@low", ["m", "m@high"], "m"),
        ("m", ["m@low", "m@high"], "m@low"),
        ("m@off", ["m@xhigh", "m@max_tokens:9"], "m@max_tokens:9"),
        ("m@budget:500", ["m@high", "m@minimal"], "m@minimal"),
        ("m@budget:90000", ["m@high", "m@low"], "m@high"),
        ("m@low", ["m@low", "m"], None),
        ("m@low", ["n", "mm@low"], None),
        ("m@low", [], None),
    ],
)
def test_the_nearest_effort_stands_in(name, known, expected):
    """Of two as near the lesser; nobody for what is known, or where no other effort of the model is."""
    assert expected == stand_in(name, tuple(known))


def test_a_new_effort_begins_where_its_sibling_is():
    """Its reward is expected to be its sibling's, with more doubt; of other models it tells nothing."""
    router = EstimatingRouter(Constant(), Greedy())
    router.learn(table(["m@low", "n"], [[1.0, 0.25]] * 80, tokens=[100, 100]))
    call = next(router.plan(Context("", 1), pool("m@high", "n", "m@low", "new"), Random(0)))
    low, high = call.estimates["m@low"], call.estimates["m@high"]

    assert low.mean == high.mean != call.estimates["new"].mean
    assert high.std == pytest.approx(np.hypot(low.std, DISTANCE))


@pytest.mark.parametrize("costs", [Mean, Running])
def test_a_new_effort_is_expected_to_take_its_share_of_tokens(costs):
    """More at a higher effort, as long as none were counted; and never more than it may."""
    learned = costs()
    learned.learn(table(["m@low"], [[1.0]] * 8, tokens=[700]))
    names = ("m@off", "m@low", "m", "m@high", "m@high,max_tokens:900", "new", "new@high")
    usd = learned.predict([Context("", 0)], pool(*names))[0] * 1e6 / 10

    assert [500, 700, 1000, 1500, 900, 256, 384] == usd.round().tolist()


def test_what_was_counted_counts():
    """The rough share is forgotten."""
    assert 7.0 == completion_tokens("m@high", {"m@low": 100.0, "m@high": 7.0}, 256.0)


def test_efforts_lend_each_other_a_few_rows():
    """As many as all of them have, up to a handful; other models neither lend nor borrow."""
    cells = Cells.of(["m@low", "m@high", "n"], ["", "", ""], np.array([[100.0, 50.0], [4.0, 1.0], [9.0, 9.0]]))
    after = with_borrowed(cells).known

    assert [104.0, 51.0] == after["m@low", ""].tolist()
    assert [4 + BORROWED_ROWS, 1 + BORROWED_ROWS / 2] == after["m@high", ""].tolist()
    assert [9.0, 9.0] == after["n", ""].tolist()


def chances(embeddings, level):
    return 1 / (1 + np.exp(-level - 3 * embeddings[:, 0]))


@pytest.mark.parametrize(("make", "rows"), [(BayesianLinear, 3), (IRT, 3)])
def test_few_outcomes_of_an_effort_go_further_beside_those_of_another(make, rows):
    """What is expected of it after a handful is nearer the truth than of a model that stands alone."""

    def error(name, seed):
        rng = np.random.default_rng(seed)
        embeddings = rng.standard_normal((300, D)).astype(np.float32)
        embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
        levels = (1.5, 1.7, -1.5, -1.0)
        rewards = np.stack([rng.random(300) < chances(embeddings, level) for level in levels], axis=1).astype(
            np.float32
        )
        rewards[rows:, 1] = np.nan
        estimator = make()
        estimator.learn(table(["m@low", name, "n", "o"], rewards, embeddings=embeddings))
        mean = estimator.predict([Context("", 1, one) for one in embeddings], [Candidate(name)]).mean[:, 0]
        return float(np.abs(mean - chances(embeddings, 1.7)).mean())

    akin, alone = (np.mean([error(name, seed) for seed in range(4)]) for name in ("m@high", "stranger"))

    assert akin < alone - 0.02


def test_irt_adopts_an_effort_near_its_siblings():
    """Before it has answered much, its ability is theirs."""
    rng = np.random.default_rng(0)
    embeddings = rng.standard_normal((200, D)).astype(np.float32)
    rewards = np.stack([rng.random(200) < chance for chance in (0.95, 0.1, 0.15)], axis=1).astype(np.float32)
    irt = IRT()
    irt.learn(table(["m@low", "n", "o"], rewards, embeddings=embeddings))
    found = {}
    for name in ("m@high", "stranger"):
        irt.adopt(name, table([name], [[1.0], [0.0]], embeddings=embeddings[:2]))
        found[name] = float(irt.predict([Context("", 1, embeddings[5])], [Candidate(name)]).mean[0, 0])

    assert found["m@high"] > found["stranger"] + 0.2


def test_a_prompt_cache_is_the_models():
    """A change of effort within a session loses nothing of it."""
    router = EstimatingRouter(Constant(), Greedy()).staying_with(Incumbent("m@low", saved_usd=0.001))
    call = next(router.plan(Context("", 10_000), pool("m@low", "m@high", "n"), Random(0)))
    plain = next(
        EstimatingRouter(Constant(), Greedy()).plan(Context("", 10_000), pool("m@low", "m@high", "n"), Random(0))
    )
    saved = {name: plain.expected_cost_usd[name] - usd for name, usd in call.expected_cost_usd.items()}

    assert {"m@low": pytest.approx(0.001), "m@high": pytest.approx(0.001), "n": 0.0} == saved

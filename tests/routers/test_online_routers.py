import math
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routers.checks.cases import outcomes
from routers.observations import Exploring, Observations, Summing, Surrounding
from routers.registry import build_router
from routers.sums import Sums
from routers.types import Candidate, Context, Outcomes
from tests.routers.playground import MODELS, POOL, START, Playground, observed, play
from tests.routers.test_checks import ROUTERS

#: At the best end of the dial, so that rewards alone count; what each has to gain on random choice (0.45 a round).
ONLINE = {
    "cluster_bandit": 0.25,
    "ema": 0.25,
    "epsilon_greedy": 0.05,
    "exp3": 0.04,
    "lin_thompson": 0.25,
    "lin_ucb": 0.25,
    "prefilter": 0.1,
    "preference_bandit": 0.03,
    "softmax": 0.06,
}
OPTIONS = {
    "cluster_bandit": {"clusters": 8},
    "epsilon_greedy": {"decay": 0.97},
    "prefilter": {"router": {"type": "cluster_bandit", "quality_weight": 1}, "keep": 2},
    "preference_bandit": {"learning_rate": 0.005},
}
SUMMING = sorted(ONLINE.keys() - {"preference_bandit"})
RANDOM = 0.45


def make(name, **options):
    dial = {} if name == "prefilter" else {"quality_weight": 1}
    return build_router({"type": name} | OPTIONS.get(name, {}) | dial | options)


def interval(values):
    """Return the lower end of a 95 % confidence interval of the mean of five values, by Student's t."""
    assert 5 == len(values)
    return np.mean(values) - 2.776 * np.std(values, ddof=1) / math.sqrt(5)


@pytest.mark.parametrize("name", ONLINE)
def test_each_gains_on_random_choice(name):
    """Five worlds of 400 requests, with one reward of ten missing and the others late."""
    gains = [play(make(name), Playground(seed), 400).mean() - RANDOM for seed in range(5)]

    assert interval(gains) > ONLINE[name]


def rows(n, seed=0, models=MODELS):
    """Return rows with all that may be missing."""
    playground, rng = Playground(seed), np.random.default_rng(seed)
    found = []
    for number in range(n):
        context, side = playground.request()
        place = int(rng.integers(len(models)))
        reward = playground.reward(MODELS[place], side)
        found.append((context, models[place], reward, float(rng.uniform(0.05, 1)), START + 40 * number))
    plain = observed(found)
    gaps = [np.where(rng.random(n) < 0.3, np.nan, rng.random(n)) for _ in range(4)]
    return Observations(
        plain.contexts,
        plain.actions,
        np.where(np.isnan(gaps[0]), np.nan, plain.rewards),
        rng.uniform(0.1, 1, n),
        plain.propensities,
        gaps[1] / 100,
        gaps[2] * 500,
        gaps[3] * 10,
        plain.times,
    )


@pytest.mark.parametrize("name", SUMMING)
@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 40), max_size=4), seed=st.integers(0, 5), order=st.randoms())
def test_replicas_learn_as_one(name, cuts, seed, order):
    """However a log is cut and in whatever order the parts are merged, the sums are the same."""
    router, log = make(name), rows(40, seed)
    ends = sorted({0, 40, *cuts})
    parts = [router.sums(log.take(range(start, stop))) for start, stop in pairwise(ends)]
    order.shuffle(parts)

    assert router.sums(log) == sum(parts, Sums())


@pytest.mark.parametrize("name", SUMMING)
def test_what_was_learned_is_taken_back(name, tmp_path):
    """Without a row it is as if that had never been; to the last bit."""
    whole, without = make(name), make(name)
    log = rows(40)
    kept = [row for row in range(40) if row != 7]
    whole.absorb(whole.sums(log) - whole.sums(log.take([7])), START)
    without.absorb(without.sums(log.take(kept)), START)
    for folder, router in (("a", whole), ("b", without)):
        router.save(tmp_path / folder)

    assert (tmp_path / "a" / "state.npz").read_bytes() == (tmp_path / "b" / "state.npz").read_bytes()


@pytest.mark.parametrize("name", SUMMING)
def test_what_a_table_taught_stays(name):
    """What is absorbed replaces what was learned online, and nothing else."""
    taught, also = make(name), make(name)
    for router in (taught, also):
        router.learn(outcomes(60))
    also.absorb(also.sums(rows(40)), START)
    also.absorb(Sums(), START)
    pool = [Candidate(model) for model in ("small", "medium", "large")]
    one, other = (next(router.plan(Context("r", 10), pool, Random(0))) for router in (taught, also))

    assert one == other


@pytest.mark.parametrize("name", SUMMING)
def test_a_snapshot_decides_as_what_was_saved(name, tmp_path):
    """What was learned online is in it."""
    router, loaded = make(name), make(name)
    router.absorb(router.sums(rows(60)), START + 4000)
    router.save(tmp_path)
    loaded.load(tmp_path)
    asked = Playground(3).request()[0]

    assert next(router.plan(asked, POOL, Random(0))) == next(loaded.plan(asked, POOL, Random(0)))


@pytest.mark.parametrize("name", SUMMING)
def test_nothing_but_rewards_is_nothing(name):
    """Rows of which nobody has said anything teach nothing of quality; an empty log nothing at all."""
    router = make(name)
    log = rows(30)
    gap = np.full(30, np.nan)
    mute = Observations(log.contexts, log.actions, gap, log.weights, log.propensities, gap, gap, gap, log.times)

    assert Sums() == router.sums(mute)
    assert Sums() == router.sums(observed([]))


@pytest.mark.parametrize("name", ["cluster_bandit", "epsilon_greedy"])
def test_a_model_that_joins_is_found_and_one_that_leaves_is_not_missed(name):
    """The best model for the left comes after half of the time; the second best leaves then."""

    def pool(number):
        return POOL[1:] if number < 300 else (POOL[0], POOL[1], POOL[3])

    options = {"min_epsilon": 0.1} if name == "epsilon_greedy" else {}
    alike = ((0.95, 0.2, 0.5, 0.1),) * 2
    worth = [play(make(name, **options), Playground(seed, alike), 700, pool=pool) for seed in range(5)]

    assert interval([part[600:].mean() for part in worth]) > 0.6


@pytest.mark.parametrize("name", ["ema", "exp3"])
def test_forgetting_follows_a_world_that_changes(name):
    """Two models swap; who forgets within a minute or so earns more afterwards than who forgets within a month."""
    late = {}
    for half_life_s in (60.0, 2_592_000.0):
        options = {"half_life_s": half_life_s} | ({"min_epsilon": 0.1} if name == "epsilon_greedy" else {})
        late[half_life_s] = []
        for seed in range(5):
            router, playground = make(name, **options), Swapping(seed)
            late[half_life_s].append(play(router, playground, 600)[400:].mean())

    gains = np.subtract(late[60.0], late[2_592_000.0])
    assert interval(gains) > 0


class Swapping(Playground):
    """After 400 requests the best and the worst have changed places."""

    asked = 0

    def request(self):
        """Count, and swap when it is time."""
        self.asked += 1
        self.chances = ((0.9, 0.3, 0.3, 0.1) if self.asked <= 400 else (0.1, 0.3, 0.3, 0.9),) * 2
        return super().request()


ESTIMATING = {"type": "estimating", "estimator": {"type": "constant"}}
# What plans of several calls draw from is told by tests/routers/plans/test_propensities.py.
SPECS = [
    pytest.param({"type": name} | options, id=name)
    for name, options in ROUTERS.items()
    if not isinstance(build_router({"type": name} | options), Surrounding)
]
SPECS += [pytest.param(ESTIMATING | {"rule": {"type": rule}}, id=rule) for rule in ("epsilon", "greedy", "thompson")]


@pytest.mark.parametrize("spec", SPECS)
def test_what_is_logged_is_what_is_drawn_from(spec):
    """For every router, learned online or not: of 600 draws each model has about the share that its propensity says."""
    router = build_router(spec)
    router.learn(outcomes(60))
    if isinstance(router, Summing):
        router.absorb(router.sums(rows(60, models=("small", "medium", "large"))), START)
    pool = [Candidate(model) for model in ("small", "medium", "large", "new")]
    asked = Playground(1).request()[0]
    calls = [next(router.plan(asked, pool, Random(seed))) for seed in range(600)]
    (distribution,) = {tuple(sorted(call.propensities.items())) for call in calls}
    for model, chance in distribution:
        share = sum(call.candidates[0].model == model for call in calls) / 600

        assert abs(share - chance) <= 4 * math.sqrt(chance * (1 - chance) / 600) + 1e-9


@pytest.mark.parametrize("spec", SPECS)
def test_without_exploration_the_best_is_certain(spec):
    """It is the one that the router says looks best, with and without."""
    router = build_router(spec)
    router.learn(outcomes(60))
    if not isinstance(router, Exploring):
        assert spec["type"] in {"agent", "cheapest", "fixed", "random", "weighted", "zero"}
        return
    pool = [Candidate(model) for model in ("small", "medium", "large")]
    for seed in range(5):
        asked = Playground(seed).request()[0]
        exploring = next(router.plan(asked, pool, Random(0)))
        sure = next(router.without_exploration().plan(asked, pool, Random(0)))

        assert exploring.best == sure.best == sure.candidates[0].model
        assert 1.0 == sure.propensities[sure.best]


def test_epsilon_falls_with_what_was_heard():
    """And rises again when it fades."""
    router = make("epsilon_greedy", half_life_s=1000.0)
    log = observed([(Context("r", 1), "a", 1.0, 1.0, START)] * 50)
    total = router.sums(log)
    router.absorb(total, START)
    soon = next(router.plan(Context("r", 1), POOL, Random(0))).propensities["b"]
    router.absorb(total, START + 5000)
    late = next(router.plan(Context("r", 1), POOL, Random(0))).propensities["b"]

    # 50 rewards in a span of time whose middle is at most half a minute away.
    assert pytest.approx(0.97**50 / 4, rel=0.1) == soon
    assert pytest.approx(0.97 ** (50 / 32) / 4, rel=0.1) == late


def test_exp3_is_not_misled_by_who_joins_late():
    """A newcomer is neither taken for one that never lost nor for one that failed until then: it is average."""
    router = make("exp3")
    log = observed([(Context("r", 1), "abc"[n % 3], float(n % 3 == 0), 1 / 3, START + n) for n in range(300)])
    router.absorb(router.sums(log), START + 300)
    chances = next(router.plan(Context("r", 1), POOL, Random(0))).propensities

    assert chances["a"] > chances["d"] > chances["b"]


def test_importance_corrects_for_who_chose():
    """A model that is asked where it fails and seldom where it excels is known for what it is."""
    importance = build_router({"type": "exp3", "gamma": 0.001}).estimator
    often = [(Context("r", 1), "a", 0.0, 0.9, START)] * 90 + [(Context("r", 1), "b", 0.5, 0.1, START)] * 10
    seldom = [(Context("r", 1), "a", 1.0, 0.1, START)] * 10 + [(Context("r", 1), "b", 0.5, 0.9, START)] * 90
    importance.absorb(importance.sums(observed(often + seldom)), START)

    assert [0.5, 0.5] == pytest.approx(importance.predict([Context("r", 1)], POOL[:2]).mean[0].tolist(), abs=0.01)


#: Chances by which a request draws, and the share of each model's answers that somebody rates.
EVENLY, WITHOUT_B, ONLY_A = {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, {"a": 0.5, "c": 0.5}, {"a": 1.0}
UNEVEN = {
    "seldom a candidate": ((EVENLY, WITHOUT_B), {}),
    "seldom explored": (({"a": 0.6, "b": 0.2, "c": 0.2}, ONLY_A), {}),
    "seldom rated": ((EVENLY, EVENLY), {"b": 0.1}),
}


@pytest.mark.parametrize("case", UNEVEN)
def test_importance_counts_a_model_by_the_requests_that_could_tell_of_it(case):
    """Nine requests of ten tell nothing of a model: it is still known for what it is, and not taken for average."""
    (tenth, others), rated = UNEVEN[case]
    truth, rng, found = {"a": 0.5, "b": 0.95, "c": 0.4}, Random(0), []
    for number in range(20_000):
        chances = others if number % 10 else tenth
        (model,) = rng.choices(list(chances), weights=list(chances.values()))
        if rng.random() < rated.get(model, 1.0):
            found.append((Context("r", 1), model, float(rng.random() < truth[model]), chances[model], START))
    importance = build_router({"type": "exp3"}).estimator
    importance.absorb(importance.sums(observed(found)), START)
    mean = importance.predict([Context("r", 1)], [Candidate(model) for model in truth]).mean[0]

    assert list(truth.values()) == pytest.approx(mean.tolist(), abs=0.06)


def test_importance_doubts_a_few_rewards():
    """Of a model that failed once, however unlikely that was, is expected about half of what the others earn."""
    importance = build_router({"type": "exp3"}).estimator
    log = [(Context("r", 1), "a", 1.0, 0.99, START)] * 99 + [(Context("r", 1), "b", 0.0, 0.01, START)]
    importance.absorb(importance.sums(observed(log)), START)
    found = importance.predict([Context("r", 1)], POOL[:3])

    assert [1.0, 0.5, 0.99] == pytest.approx(found.mean[0].tolist(), abs=0.01)
    assert found.std[0, 0] < found.std[0, 1] < found.std[0, 2]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("epsilon_greedy", {"epsilon": 0.1, "min_epsilon": 0.2}, "does not hold"),
        ("epsilon_greedy", {"decay": 0}, "decay=0"),
        ("epsilon_greedy", {"estimator": {"type": "knn"}}, "'knn' does not learn online by sums"),
        ("softmax", {"temperature": 0}, "temperature=0"),
        ("softmax", {"half_life_s": 0}, "half_life_s=0"),
        ("exp3", {"gamma": 0}, "gamma=0"),
        ("ema", {"weights": {"speed": 1}}, "not of 'speed'"),
        ("ema", {"shrinkage": 0}, "shrinkage=0"),
        ("cluster_bandit", {"clusters": 0}, "clusters=0"),
        ("cluster_bandit", {"floor": 2}, "floor=2"),
        ("prefilter", {"router": {"type": "random"}}, "which 'randomchoice' does not"),
        ("prefilter", {"router": {"type": "ema"}, "keep": 0}, "keep=0"),
        ("prefilter", {"router": {"type": "ema"}, "floor": -1}, "floor=-1"),
        ("preference_bandit", {"hidden": 0}, "hidden=0"),
        ("preference_bandit", {"learning_rate": 0}, "learning_rate=0"),
        ("preference_bandit", {"floor": 2}, "floor=2"),
    ],
)
def test_impossible_options_are_refused(name, options, message):
    """The message names the option and its value."""
    with pytest.raises(ValueError, match=message):
        build_router({"type": name} | options)


def test_a_prefilter_learns_by_sums_if_its_router_does():
    """As all the others here do."""
    assert all(isinstance(make(name), Summing) for name in SUMMING)
    assert not isinstance(make("prefilter", router={"type": "recommended"}), Summing)


def test_a_table_with_other_clusters_is_not_mixed_up():
    """Counts that were made under other centroids are of other clusters: they tell of the model alone."""
    cold, warm = make("cluster_bandit"), make("cluster_bandit")
    embeddings = np.eye(8, dtype=np.float32)
    gap = np.full((8, 1), np.nan, np.float32)
    warm.learn(Outcomes(("a",), embeddings, gap, gap, gap))
    warm.absorb(cold.sums(rows(50)), START)
    expected = warm.estimator.predict([Context("r", 1, row) for row in embeddings], POOL).mean

    assert (expected == expected[0]).all()


#: Those that a model can join.
HOSTS = [pytest.param(name, {}, id=name) for name in SUMMING if name != "prefilter"]
HOSTS += [pytest.param("lin_ucb", {"estimator": {"type": "neural_linear", "hidden": 8}}, id="neural_linear")]


def joined_by_one_of(mean, name, options):
    """Return a router that a new model joined by 40 outcomes of that mean, and requests."""
    requests = [Playground(5).request()[0] for _ in range(60)]
    embeddings = np.stack([context.embedding for context in requests])
    rng = np.random.default_rng(0)
    router = make(name, **options)
    rewards = (rng.random((60, 2)) < [0.5, 0.6]).astype(np.float32)
    gap = np.full_like(rewards, np.nan)
    router.learn(Outcomes(("a", "b"), embeddings, rewards, gap, gap))
    probes = (rng.random((40, 1)) < mean).astype(np.float32)
    router.adopt("new", Outcomes(("new",), embeddings[:40], probes, probes * np.nan, probes * np.nan))
    return router, requests


def rated(requests, n, mean):
    """Return ratings, every other one of the model that joined, the others of mean 1/2."""
    rng = np.random.default_rng(1)
    models = ["new", "a"] * n
    return observed(
        [
            (requests[number % 60], model, float(rng.random() < (mean if model == "new" else 0.5)), 0.5, START)
            for number, model in enumerate(models[:n])
        ]
    )


def expected_of_new(router, requests):
    """Return what is expected of the model that joined, on average."""
    return float(router.newcomers.predict(requests, [Candidate("new")]).mean.mean())


@pytest.mark.parametrize(("name", "options"), HOSTS)
def test_a_model_that_joined_is_known_by_what_came_of_it(name, options):
    """It did well by its probes, and fails online: the first rating changes little, and in the end it is found out."""
    router, requests = joined_by_one_of(0.9, name, options)
    probed = expected_of_new(router, requests)
    router.absorb(router.sums(rated(requests, 1, 0.1)), START)
    first = expected_of_new(router, requests)
    router.absorb(router.sums(rated(requests, 4000, 0.1)), START)

    assert probed > 0.65
    assert pytest.approx(probed, abs=0.05) == first
    assert pytest.approx(0.1, abs=0.05) == expected_of_new(router, requests)


@pytest.mark.parametrize(("name", "options"), HOSTS)
def test_what_came_of_a_model_that_joined_fades(name, options):
    """Once it has, the probes count again."""
    router, requests = joined_by_one_of(0.9, name, options)
    probed, log = expected_of_new(router, requests), rated(requests, 400, 0.1)

    router.absorb(router.sums(log), START + 100 * router.half_life_s)

    assert pytest.approx(probed, abs=0.01) == expected_of_new(router, requests)


@pytest.mark.parametrize(("name", "options"), HOSTS)
def test_what_came_of_a_model_that_joined_is_restored(name, options, tmp_path):
    """To the last bit."""
    (router, requests), (again, _) = (joined_by_one_of(mean, name, options) for mean in (0.9, 0.5))
    router.absorb(router.sums(rated(requests, 200, 0.1)), START)
    router.save(tmp_path)
    again.load(tmp_path)

    before, after = (each.newcomers.predict(requests, [Candidate("new")]) for each in (router, again))
    assert before.mean.tobytes() == after.mean.tobytes()
    assert before.std.tobytes() == after.std.tobytes()
    assert router.heard == again.heard

import warnings

import numpy as np
import pytest
from scipy.stats import spearmanr

from routers.checks.estimator import check_estimator
from routers.estimators._ability import Items, Population
from routers.estimators._calibration import Loss, extended
from routers.estimators.irt import IRT
from routers.types import Candidate, Context, Outcomes

NAN = np.nan
D = 6


def table(embeddings, rewards, models):
    """Outcomes without costs."""
    rewards = np.array(rewards, np.float32)
    gap = np.full_like(rewards, NAN)
    return Outcomes(tuple(models), np.array(embeddings, np.float32), rewards, gap, gap)


def directions(n, rng):
    """Return random unit vectors."""
    vectors = rng.standard_normal((n, D))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


class World:
    """Requests and models that are as the two-parameter model says."""

    def __init__(self, abilities, seed=0):
        self.rng = np.random.default_rng(seed)
        self.abilities = np.array(abilities)
        self.hard, self.steep = self.rng.normal(0, 2, D), self.rng.normal(0, 1, D)
        self.models = [f"m{n:02}" for n in range(len(abilities))]

    def chances(self, embeddings):
        slopes = np.logaddexp(0, embeddings @ self.steep + 1)
        return 1 / (1 + np.exp(-slopes[:, None] * (self.abilities - (embeddings @ self.hard)[:, None])))

    def outcomes(self, n):
        embeddings = directions(n, self.rng)
        rewards = self.rng.random((n, len(self.models))) < self.chances(embeddings)
        return table(embeddings, rewards, self.models)


@pytest.fixture
def world():
    return World(np.linspace(-1.5, 1.5, 12))


@pytest.fixture(scope="module")
def learned():
    """Return what was learned of all models but the last four; none of the tests changes it."""
    irt, world = IRT(weight_decay=1), World(np.linspace(-1.5, 1.5, 12))
    irt.learn(world.outcomes(600).of_models(world.models[:8]))
    return irt


def copied(irt):
    """Return another that learned the same."""
    other = IRT(**{name: getattr(irt, name) for name in ("dimensions", "weight_decay", "max_rows")})
    other.restore(irt.state())
    return other


def estimates(irt, contexts, *models):
    """Return estimates for models by name."""
    return irt.predict(contexts, [Candidate(model) for model in models])


def ability(irt, model):
    """Return the ability of a model in one dimension, and its standard error."""
    examination = irt._fitted
    place = examination.models.index(model)
    return examination.abilities[place, 0], examination.covariances[place, 0, 0] ** 0.5


@pytest.mark.parametrize("dimensions", [1, 3])
def test_passes_the_battery(dimensions):
    """It does what every estimator must."""
    check_estimator(lambda: IRT(dimensions=dimensions, epochs=5, max_rows=100))


def test_recovers_abilities_and_difficulties(world):
    """Both have the order that the outcomes were drawn by."""
    irt, embeddings = IRT(weight_decay=1), directions(200, np.random.default_rng(5))
    irt.learn(world.outcomes(800))

    found = [ability(irt, model)[0] for model in world.models]
    difficulties = [irt.difficulty(Context("", 1, embedding)) for embedding in embeddings]

    assert spearmanr(world.abilities, found).statistic > 0.95
    assert spearmanr(embeddings @ world.hard, difficulties).statistic > 0.9


def test_recovers_the_chances(world):
    """What it expects is near what the outcomes were drawn by, and its standard errors say how near."""
    irt, embeddings = IRT(weight_decay=1), directions(200, np.random.default_rng(5))
    irt.learn(world.outcomes(800))

    found = estimates(irt, [Context("", 1, embedding) for embedding in embeddings], *world.models)
    errors = found.mean - world.chances(embeddings)

    assert np.abs(errors).mean() < 0.05
    assert 0.85 < np.mean(np.abs(errors) < 1.96 * found.std)


@pytest.mark.parametrize("dimensions", [1, 2])
def test_gradient_is_that_of_the_loss(dimensions):
    """Central differences of the loss agree with its gradient, all but the constant of the slopes, which is fixed."""
    rng = np.random.default_rng(0)
    rewards = rng.random((5, 3))
    rewards[0, 1] = rewards[3, 0] = NAN
    loss, rows = Loss(extended(directions(5, rng)), rewards, weight_decay=0.7), np.arange(5)
    shapes = {"slopes": (D + 1, dimensions), "difficulties": (D + 1,), "abilities": (3, dimensions)}
    parameters = {name: rng.normal(0, 1, shape) for name, shape in shapes.items()}
    gradient = loss.gradient(parameters, rows)

    for name, shape in shapes.items():
        for place in np.ndindex(shape):
            step = np.zeros(shape)
            step[place] = 1e-5
            up, down = (loss.value({**parameters, name: parameters[name] + s}, rows) for s in (step, -step))
            fixed = name == "slopes" and place[0] == D
            assert pytest.approx(0 if fixed else (up - down) / 2e-5, abs=1e-7) == gradient[name][place]


def test_ability_is_the_most_probable_one():
    """Two items of slope 1 and offset 0, one mastered: the score 2 (3/4 - sigmoid(t)) equals the prior's pull t."""
    items = Items(np.ones((3, 1)), np.zeros(3))
    population = Population(np.zeros(1), np.ones(1))

    found, covariance = items.ability(np.array([1.0, 0.5, NAN]), population)

    chance = 1 / (1 + np.exp(-found[0]))
    assert pytest.approx(1.5 - 2 * chance) == found[0]
    assert pytest.approx(1 / (1 + 2 * chance * (1 - chance))) == covariance[0, 0]


def test_ability_of_all_right_is_finite():
    """The population holds it."""
    found, covariance = Items(np.ones((60, 2)), np.zeros(60)).ability(
        np.ones(60), Population(np.zeros(2), np.array([1.0, 4.0]))
    )

    assert np.isfinite(found).all()
    assert (found > 0).all()
    assert (np.linalg.eigvalsh(covariance) > 0).all()


def test_information_is_greatest_where_the_outcome_is_in_doubt():
    """Slope squared times p (1 - p): 4/4 at the ability, 1/4 with slope 1."""
    items = Items(np.array([[1.0], [2.0], [2.0]]), np.array([0.5, 1.0, 20.0]))

    assert pytest.approx([0.25, 1.0, 0.0], abs=1e-6) == items.information(np.array([0.5])).tolist()


def test_adopting_changes_nobody_else(world, learned):
    """A newcomer gets an ability from its outcomes alone; the others' estimates stay, to the last bit."""
    irt, contexts = copied(learned), [Context("", 1, e) for e in directions(20, np.random.default_rng(1))]
    before = estimates(irt, [*contexts, Context("", 1)], *world.models[:8])

    irt.adopt("m11", world.outcomes(60))
    after = estimates(irt, [*contexts, Context("", 1)], *world.models[:8])

    assert before.mean.tobytes() == after.mean.tobytes()
    assert before.std.tobytes() == after.std.tobytes()
    assert estimates(irt, contexts, "m11").mean.mean() > before.mean[:-1].mean()


def test_adopting_a_known_models_own_outcomes_finds_its_ability_again(world):
    """The fit and the adoption are of one mind."""
    irt, outcomes = IRT(weight_decay=1), world.outcomes(200)
    irt.learn(outcomes)
    before = ability(irt, "m05")

    irt.adopt("m05", outcomes)

    assert pytest.approx(before) == ability(irt, "m05")


def test_adopted_ability_is_the_surer_the_more_was_observed(world, learned):
    """The standard error falls with the root of the outcomes."""
    few, many = copied(learned), copied(learned)
    outcomes = world.outcomes(240)
    few.adopt("m10", outcomes.take(range(60)))
    many.adopt("m10", outcomes)

    ratio = ability(few, "m10")[1] / ability(many, "m10")[1]
    assert 1.6 < ratio < 2.4


def test_what_was_adopted_is_kept_and_is_learned_with_the_rest(world, learned):
    """It survives a restart, and the next fit takes its outcomes in."""
    irt, context = copied(learned), Context("", 1, directions(1, np.random.default_rng(1))[0])
    irt.adopt("m11", world.outcomes(60))
    again = copied(irt)

    assert estimates(irt, [context], "m11").mean == estimates(again, [context], "m11").mean
    again.learn(world.outcomes(10).of_models(world.models[:8]))
    assert ability(again, "m11")[0] > ability(again, "m00")[0]


def test_adopting_again_forgets_the_first_time(world, learned):
    """A model that changed is another model."""
    twice, once, outcomes = copied(learned), copied(learned), world.outcomes(60)
    once.adopt("new", table(outcomes.embeddings, outcomes.rewards[:, [0]], ["new"]))
    twice.adopt("new", table(outcomes.embeddings, outcomes.rewards[:, [11]], ["new"]))
    twice.adopt("new", table(outcomes.embeddings, outcomes.rewards[:, [0]], ["new"]))
    contexts = [Context("", 1, outcomes.embeddings[0]), Context("", 1)]

    one, other = (estimates(irt, contexts, "new") for irt in (once, twice))
    assert one.mean.tobytes() == other.mean.tobytes()


@pytest.mark.parametrize("rewards", [NAN, 1.0])
def test_refuses_to_adopt_what_cannot_be_placed(rewards):
    """Nothing learned, or nothing observed: the message names the model."""
    irt, outcomes = IRT(epochs=1), table(np.eye(D), np.full((D, 1), rewards), ["new"])
    if np.isnan(rewards):
        irt.learn(table(np.eye(D), np.ones((D, 1)), ["old"]))

    with pytest.raises(ValueError, match="'new' cannot be adopted"):
        irt.adopt("new", outcomes)


def test_asks_nothing_twice(learned):
    """Neither what was answered nor what is awaited is asked again, nor what has no embedding."""
    contexts = [Context("", 1, e) for e in directions(5, np.random.default_rng(2))] + [Context("", 1)]
    asked = {}
    for _ in range(5):
        asked[learned.informative(contexts, asked)] = NAN if len(asked) % 2 else 1.0

    assert [0, 1, 2, 3, 4] == sorted(asked)
    with pytest.raises(ValueError, match="nothing is left to ask"):
        learned.informative(contexts, asked)


def test_asks_the_able_what_is_hard(learned):
    """The better the answers, the harder the next question."""
    contexts = [Context("", 1, e) for e in directions(300, np.random.default_rng(3))]
    order = sorted(range(300), key=lambda n: learned.difficulty(contexts[n]))
    middle = order[140:160]

    next_of = {
        reward: learned.difficulty(contexts[learned.informative(contexts, dict.fromkeys(middle, reward))])
        for reward in (0.0, 0.5, 1.0)
    }

    assert next_of[0.0] < next_of[0.5] < next_of[1.0]


def test_adaptive_testing_beats_questions_at_random(world, learned):
    """At a tenth of the questions, abilities come out nearer to what all of them tell; mean over models and seeds."""
    near, far = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        bank = world.outcomes(200)
        contexts = bank.contexts()
        for model in world.models[8:]:
            rewards = bank.of_models([model]).rewards[:, 0]
            asked: dict[int, float] = {}
            while len(asked) < 20:
                number = learned.informative(contexts, asked)
                asked[number] = float(rewards[number])
            true = world.abilities[world.models.index(model)]
            for rows, errors in ((list(asked), near), (rng.permutation(200)[:20], far)):
                irt = copied(learned)
                irt.adopt(model, bank.take(rows))
                errors.append(abs(chance_gap(irt, model, world, true)))

    assert np.mean(near) < 0.9 * np.mean(far)


def chance_gap(irt, model, world, true):
    """Return by how much the mean reward of a model is misjudged, on requests of all kinds."""
    embeddings = directions(300, np.random.default_rng(9))
    slopes = np.logaddexp(0, embeddings @ world.steep + 1)
    actual = 1 / (1 + np.exp(-slopes * (true - embeddings @ world.hard)))
    return float(estimates(irt, [Context("", 1, e) for e in embeddings], model).mean.mean() - actual.mean())


def test_more_dimensions_tell_specialists_apart():
    """One model masters one kind of request, one the other; a single ability cannot say so, two can."""
    rng = np.random.default_rng(0)
    embeddings = np.eye(2, dtype=np.float32)[[0, 1] * 100] + rng.normal(0, 0.05, (200, 2)).astype(np.float32)
    rewards = np.tile(np.array([[0.9, 0.1], [0.1, 0.9]], np.float32), (100, 1))
    contexts = [Context("", 1, e) for e in np.eye(2, dtype=np.float32)]
    one, two = IRT(weight_decay=1), IRT(dimensions=2, weight_decay=1)
    for irt in (one, two):
        irt.learn(table(embeddings, rewards, "ab"))

    true = [[0.9, 0.1], [0.1, 0.9]]
    assert np.abs(estimates(one, contexts, "a", "b").mean - true).max() > 0.3
    assert np.abs(estimates(two, contexts, "a", "b").mean - true).max() < 0.1


def test_without_an_embedding_it_is_the_models_mean(learned):
    """There is no difficulty either."""
    rewards = learned.state()["rewards"][:, 0]

    assert pytest.approx(np.nanmean(rewards)) == float(estimates(learned, [Context("", 1)], "m00").mean[0, 0])
    assert learned.difficulty(Context("", 1)) is None


def test_is_less_sure_far_from_what_was_seen():
    """All rows point one way; a request that points another has the wider standard error."""
    rng = np.random.default_rng(0)
    east = np.tile(np.eye(D, dtype=np.float32)[:1], (200, 1))
    irt = IRT()
    irt.learn(table(east, rng.random((200, 2)) < 0.5, "ab"))
    near, far = estimates(irt, [Context("", 1, e) for e in np.eye(D, dtype=np.float32)[:2]], "a").std[:, 0]

    assert far > 1.5 * near


@pytest.mark.parametrize(
    ("embeddings", "rewards"),
    [
        (np.zeros((0, 2)), np.zeros((0, 2))),
        ([[1, 0]], [[1.0, 0.5]]),
        ([[1, 0]], [[NAN, NAN]]),
        ([[0, 0], [NAN, NAN]], [[1.0, 0.0], [1.0, 0.0]]),
        ([[1, 0], [0, 1], [0, 0]], [[1.0, NAN], [1.0, NAN], [1.0, 0.0]]),
        ([[1, 0]] * 5, [[1.0, 0.0]] * 5),
    ],
)
@pytest.mark.parametrize("dimensions", [1, 2])
def test_copes_with_next_to_nothing(embeddings, rewards, dimensions):
    """Whatever is missing, there is a finite estimate, and no warning."""
    irt = IRT(dimensions=dimensions)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        irt.learn(table(embeddings, rewards, "ab"))
        found = estimates(irt, [Context("", 1, np.array([0.6, 0.8], np.float32)), Context("", 1)], "a", "b", "c")

    assert np.isfinite(found.mean).all()
    assert ((found.std >= 0) & (found.std <= 0.5)).all()
    assert [0.5, 0.5] == found.mean[:, 2].tolist()


@pytest.mark.parametrize("use", ["predict", "learn", "adopt"])
def test_refuses_an_embedding_of_another_length(learned, use):
    """Another encoder's embeddings are an error that says so."""
    irt, outcomes = copied(learned), table(np.eye(2), [[1.0], [0.0]], ["a"])
    calls = {
        "predict": lambda: estimates(irt, [Context("", 1, np.ones(2, np.float32))], "m00"),
        "learn": lambda: irt.learn(outcomes),
        "adopt": lambda: irt.adopt("a", outcomes),
    }

    with pytest.raises(ValueError, match=r"has 2 numbers but those learned have 6.*pointsman train"):
        calls[use]()


@pytest.mark.parametrize(
    "wrong", [{"dimensions": 0}, {"epochs": 0}, {"max_rows": 0}, {"learning_rate": 0.0}, {"weight_decay": -1.0}]
)
def test_refuses_impossible_arguments(wrong):
    """The message names the argument and its value."""
    ((name, value),) = wrong.items()

    with pytest.raises(ValueError, match=f"{name}={value}"):
        IRT(**wrong)

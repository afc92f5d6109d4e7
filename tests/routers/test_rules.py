import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.rules.epsilon import Epsilon
from routers.rules.floor import Floor
from routers.rules.greedy import Greedy
from routers.rules.softmax import Softmax
from routers.rules.thompson import Thompson
from routers.rules.ucb import Ucb
from routers.types import Estimate

UTILITIES = st.lists(st.builds(Estimate, st.floats(-5, 1), st.floats(0, 0.5)), min_size=1, max_size=70)
RULES = st.sampled_from([Greedy(), Epsilon(0.1), Softmax(0.1), Thompson(draws=100), Ucb(), Ucb(horizon=None)])


def means(*values):
    """Utilities that are certain."""
    return [Estimate(value) for value in values]


def test_greedy_takes_the_first_of_the_best():
    """Ties go to the first, which the caller makes the cheapest."""
    assert [0.0, 1.0, 0.0] == Greedy().distribution(means(0.1, 0.7, 0.7))


def test_epsilon_shares_among_all():
    """An epsilon of 0.1 over two candidates gives .05 and .95."""
    assert pytest.approx([0.05, 0.95]) == Epsilon(0.1).distribution(means(0.2, 0.9))


def test_softmax_is_the_ratio_of_exponentials():
    """A difference of one temperature is a factor of e."""
    worse, better = Softmax(0.2).distribution(means(0.4, 0.6))

    assert pytest.approx(math.e) == better / worse


def test_softmax_survives_utilities_far_apart():
    """What is hopeless has probability zero, not an overflow."""
    assert [1.0, 0.0] == Softmax(0.001).distribution(means(0.0, -1e9))


def test_thompson_gives_the_probability_of_being_best():
    """N(0.1, 0.1) beats 0 with the probability that a standard normal exceeds -1."""
    chances = Thompson(draws=20_000).distribution([Estimate(0.0, 0.0), Estimate(0.1, 0.1)])

    assert pytest.approx(0.8413, abs=0.01) == chances[1]


def test_thompson_explores_what_is_uncertain():
    """Of two candidates somewhat worse, the one less well known has the better chance."""
    _, known, unknown = Thompson().distribution([Estimate(0.6), Estimate(0.5, 0.05), Estimate(0.5, 0.3)])

    assert unknown > known


def test_thompson_explores_less_when_colder():
    """At temperature 0 it takes the best; in between, what is uncertain has a smaller chance than doubt alone gives."""
    utilities = [Estimate(0.6), Estimate(0.5, 0.3)]
    cold, cool, warm = (Thompson(temperature=one).distribution(utilities)[1] for one in (0.0, 0.5, 1.0))

    assert 0.0 == cold < cool < warm


def test_ucb_hopes_for_what_the_horizon_makes_of_doubt():
    """A standard error of 0.1 is that of 20 observations: over 8000 requests sqrt(log(401) - 1) = 2.235 of them."""
    unsure = Estimate(0.5, 0.1)

    assert [0.0, 1.0] == Ucb(1.0, 8000.0).distribution([Estimate(0.723), unsure])
    assert [1.0, 0.0] == Ucb(1.0, 8000.0).distribution([Estimate(0.724), unsure])


def test_ucb_stops_hoping_as_the_horizon_is_near():
    """Over fewer requests it hopes for less, and where nothing could be gained any more for nothing."""
    sure, unsure = Estimate(0.6), Estimate(0.5, 0.06)

    assert [0.0, 1.0] == Ucb(1.0, 8000.0).distribution([sure, unsure])
    assert [1.0, 0.0] == Ucb(1.0, 500.0).distribution([sure, unsure])
    assert [1.0, 0.0] == Ucb(100.0, 50.0).distribution([sure, unsure])


def test_ucb_without_a_horizon_hopes_for_alpha_standard_errors():
    """0.5 and twice 0.06 is more than 0.6, and once 0.06 is not."""
    sure, unsure = Estimate(0.6), Estimate(0.5, 0.06)

    assert [0.0, 1.0] == Ucb(2.0, None).distribution([sure, unsure])
    assert [1.0, 0.0] == Ucb(1.0, None).distribution([sure, unsure])


def test_ucb_shares_among_equals():
    """Of models that nobody has asked each is as likely: a batch that is decided before anything is heard asks all."""
    assert [0.0, 0.5, 0.5] == Ucb().distribution([Estimate(0.2, 0.0), Estimate(0.6, 0.5), Estimate(0.6, 0.5)])


@pytest.mark.parametrize("options", [{"alpha": -1.0}, {"horizon": 0.0}, {"horizon": math.inf}])
def test_ucb_refuses_what_is_no_bonus(options):
    """The message names the option and its value."""
    ((name, value),) = options.items()
    with pytest.raises(ValueError, match=f"{name}={value} must"):
        Ucb(**options)


@pytest.mark.parametrize("temperature", [-0.1, math.inf])
def test_thompson_refuses_a_temperature_that_is_none(temperature):
    """The message names the option and its value."""
    with pytest.raises(ValueError, match=f"temperature={temperature} must"):
        Thompson(temperature=temperature)


def test_floor_mixes_in_the_uniform():
    """Each has f + (1 - m f) p, with f = 0.1, m = 2, p = 1 and 0."""
    assert pytest.approx([0.9, 0.1]) == Floor(Greedy(), 0.1, total=0.2).distribution(means(0.9, 0.2))


def test_floor_is_capped_in_a_large_pool():
    """Sixty candidates cannot all have 2 % of a tenth: together they have the tenth."""
    distribution = Floor(Greedy(), 0.02).distribution(means(*range(60)))

    assert pytest.approx([0.1 / 60] * 59) == distribution[:-1]
    assert pytest.approx(0.9 + 0.1 / 60) == distribution[-1]


def test_total_is_an_option():
    """Half of the requests may be drawn evenly; with 1, all."""
    assert pytest.approx([0.25, 0.75]) == Floor(Greedy(), 0.4, total=0.5).distribution(means(0.2, 0.9))
    assert pytest.approx([0.5, 0.5]) == Floor(Greedy(), 1, total=1).distribution(means(0.2, 0.9))


def test_a_large_floor_is_meant():
    """Whoever writes `floor: 0.5` means that half of the requests are drawn evenly."""
    assert pytest.approx([0.25, 0.75]) == Floor(Greedy(), 0.5).distribution(means(0.2, 0.9))


@given(RULES, UTILITIES, st.floats(0, 0.2))
def test_floor_is_respected(rule, utilities, floor):
    """No candidate falls below the floor, or below an even share of the total where that is less."""
    distribution = Floor(rule, floor).distribution(utilities)

    assert min(distribution) >= min(floor, max(floor, 0.1) / len(utilities))
    assert pytest.approx(1, abs=1e-9) == math.fsum(distribution)


@given(RULES, UTILITIES)
def test_every_rule_gives_a_distribution(rule, utilities):
    """Probabilities are one for each candidate, not negative, and sum to one."""
    distribution = rule.distribution(utilities)

    assert len(utilities) == len(distribution)
    assert min(distribution) >= 0
    assert pytest.approx(1, abs=1e-9) == math.fsum(distribution)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Epsilon(1.5), "epsilon=1.5"),
        (lambda: Softmax(0.0), "temperature=0.0"),
        (lambda: Thompson(draws=0), "draws=0"),
        (lambda: Floor(Greedy(), -0.1), "floor=-0.1"),
        (lambda: Floor(Greedy(), 0.1, total=2), "total=2"),
    ],
)
def test_refuses_impossible_arguments(make, message):
    """The message names the argument and its value."""
    with pytest.raises(ValueError, match=message):
        make()

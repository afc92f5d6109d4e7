import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routers.checks.utility import check_utility
from routers.rules.epsilon import Epsilon
from routers.rules.floor import Floor
from routers.rules.greedy import Greedy
from routers.rules.softmax import Softmax
from routers.rules.thompson import Thompson
from routers.types import Estimate, Prospects
from routers.utilities.adequate import Adequate
from routers.utilities.affordable import Affordable
from routers.utilities.chebyshev import Chebyshev
from routers.utilities.convex import Convex
from routers.utilities.linear import Linear
from routers.utilities.preference import Preference
from routers.utilities.threshold import Threshold

NAN = math.nan
EVERY = {
    "linear": Linear(),
    "convex": Convex(),
    "convex, scaled": Convex(scale=3.0),
    "preference": Preference(),
    "preference, fast": Preference(quality=2.0, cost=1.0, latency=3.0),
    "preference, whatever it costs": Preference(cost=0.0),
    "chebyshev": Chebyshev(),
    "threshold": Threshold(),
    "threshold, shares": Threshold(probability="share"),
    "threshold, named": Threshold(strong="m1", weak="m0"),
    "threshold, fixed": Threshold(threshold=0.5),
    "adequate": Adequate(),
    "adequate, floor": Adequate(quality_floor=0.5),
    "adequate, slack": Adequate(slack=0.25),
    "affordable": Affordable(),
    "affordable, cap": Affordable(max_cost_usd=2.0),
    "affordable, fast": Affordable(deadline_s=1.0),
}
RULES = (Greedy(), Epsilon(), Softmax(), Thompson(draws=50), Floor(Greedy()))
#: Eighths are added without rounding, and make ties likely.
EIGHTHS = st.integers(0, 8).map(lambda eighth: eighth / 8)
CANDIDATES = st.lists(st.tuples(EIGHTHS, EIGHTHS, EIGHTHS, st.just(NAN) | EIGHTHS), min_size=1, max_size=6)
DIALS = st.integers(0, 64).map(lambda part: part / 64)


def prospects(rewards, costs, latencies=None, reference=None, stds=None):
    """Return the prospects of m0, m1, ..., which have to be in the order of their costs."""
    stds = stds or [0.0] * len(rewards)
    names = [f"m{i}" for i in range(len(rewards))]
    reference = max(costs) if reference is None else reference
    estimates = [Estimate(mean, std) for mean, std in zip(rewards, stds, strict=True)]
    return Prospects(estimates, costs, latencies or [NAN] * len(rewards), reference, names)


def means(utility, given_prospects, weight=0.5):
    """Return the means of the utilities."""
    return [estimate.mean for estimate in utility.utilities(given_prospects, weight)]


def chosen(utility, given_prospects, weight=0.5):
    """Return the place of greedy's choice."""
    return Greedy().distribution(utility.utilities(given_prospects, weight)).index(1.0)


@pytest.mark.parametrize("utility", EVERY.values(), ids=EVERY)
@given(CANDIDATES, DIALS, DIALS)
def test_dearer_money_never_buys_dearer_answers(utility, candidates, one, other):
    """The expected cost of greedy's choice does not rise as the weight of quality falls; ties, gifts and all."""
    rewards, stds, costs, latencies = zip(*candidates, strict=True)
    some = prospects(rewards, sorted(costs), latencies, stds=stds)

    low, high = (some.costs_usd[chosen(utility, some, weight)] for weight in sorted((one, other)))

    assert low <= high


@pytest.mark.parametrize("utility", EVERY.values(), ids=EVERY)
@given(CANDIDATES, DIALS)
def test_every_rule_takes_every_utility(utility, candidates, weight):
    """Probabilities sum to one."""
    rewards, stds, costs, latencies = zip(*candidates, strict=True)
    utilities = utility.utilities(prospects(rewards, sorted(costs), latencies, stds=stds), weight)

    assert [pytest.approx(1.0)] * len(RULES) == [math.fsum(rule.distribution(utilities)) for rule in RULES]


@pytest.mark.parametrize("utility", EVERY.values(), ids=EVERY)
def test_passes_the_battery(utility):
    """As every utility must."""
    check_utility(lambda: utility)


@pytest.mark.parametrize("name", ["linear", "convex", "preference", "chebyshev"])
def test_weight_of_zero_ranks_by_cost_then_quality(name):
    """Cheaper comes first; of equal costs, the better."""
    assert [-1.0, 0.0, 0.0, -2.0] == means(EVERY[name], prospects([0.5, 0.9, 0.9, 1.0], [1.0, 1.0, 1.0, 2.0]), 0.0)


@pytest.mark.parametrize("name", ["linear", "convex", "preference", "chebyshev", "threshold", "adequate", "affordable"])
def test_dial_has_no_unit(name):
    """Multiplying every price by the same factor changes no utility."""
    one = prospects([0.25, 0.5, 1.0], [0.25, 0.5, 1.0])
    other = prospects([0.25, 0.5, 1.0], [256.0, 512.0, 1024.0])

    assert means(EVERY[name], one) == means(EVERY[name], other)


def test_linear_subtracts_the_relative_cost():
    """At w = 0.8 a candidate as dear as the reference loses a quarter, one half as dear an eighth."""
    utilities = Linear().utilities(prospects([0.5, 0.9], [0.01, 0.02], stds=[0.2, 0.1]), 0.8)

    assert pytest.approx([0.375, 0.65]) == [utility.mean for utility in utilities]
    assert [0.2, 0.1] == [utility.std for utility in utilities]


def test_linear_at_one_is_quality_alone():
    """No cost is too high."""
    assert [0.5, 0.9] == means(Linear(), prospects([0.5, 0.9], [0.0, 9.0], reference=0.02), 1.0)


def test_linear_needs_no_infinity():
    """The smallest positive weight is treated as zero."""
    assert [0.0, -1.0] == means(Linear(), prospects([0.5, 0.9], [0.0, 1.0]), 5e-324)


@pytest.mark.parametrize("name", ["linear", "convex"])
def test_free_pool_is_judged_by_quality(name):
    """Where the dearest costs nothing there is nothing to subtract."""
    assert 1 == chosen(EVERY[name], prospects([0.5, 0.9], [0.0, 0.0]))


def test_convex_weighs_both():
    """At w = 0.75: three quarters of 0.8, less a quarter of 100 times 0.002; its error shrinks alike."""
    (utility,) = Convex(scale=100.0).utilities(prospects([0.8], [0.002], stds=[0.4]), 0.75)

    assert pytest.approx((0.55, 0.3)) == (utility.mean, utility.std)


@given(CANDIDATES, DIALS)
def test_convex_chooses_as_linear_does(candidates, weight):
    """With the default scale one is the other, times the weight of quality."""
    rewards, stds, costs, latencies = zip(*candidates, strict=True)
    some = prospects(rewards, sorted(costs), latencies, reference=1.0, stds=stds)

    expected = [weight * mean for mean in means(Linear(), some, weight)] if weight else means(Linear(), some, 0.0)

    assert pytest.approx(expected) == means(Convex(), some, weight)


def test_preference_weighs_three_criteria():
    """Weights 2, 1, 1 at w = 0.5: a quarter of quality, an eighth each of what is saved in time and money."""
    preference = Preference(quality=2.0, cost=1.0, latency=1.0)

    assert pytest.approx([0.25 * 0.8 + 0.125 * 0.75 + 0.125 * 0.5, 0.25]) == means(
        preference, prospects([0.8, 1.0], [1.0, 2.0], [1.0, 4.0])
    )


def test_preference_counts_an_unknown_latency_as_the_longest():
    """Not as none at all."""
    preference = Preference(quality=0.0, cost=0.0, latency=1.0)

    assert [0.0, 0.5, 0.0] == means(preference, prospects([0.5] * 3, [1.0] * 3, [NAN, 1.0, 2.0]), 1.0)


def test_chebyshev_is_minus_the_greater_shortfall():
    """At w = 0.75: three quarters of what quality lacks, or a quarter of the relative cost; the error is quality's."""
    utilities = Chebyshev().utilities(prospects([0.2, 0.9], [1.0, 2.0], stds=[0.4, 0.4]), 0.75)

    assert pytest.approx([-0.6, -0.25]) == [utility.mean for utility in utilities]
    assert pytest.approx([0.3, 0.0]) == [utility.std for utility in utilities]


def test_chebyshev_reaches_what_no_sum_can():
    """The middle lies below the line between the ends, so that no price makes it linear's choice."""
    some = prospects([0.0, 0.45, 1.0], [0.0, 0.5, 1.0])

    assert {0, 2} == {chosen(Linear(), some, w / 100) for w in range(101)}
    assert {0, 1, 2} == {chosen(Chebyshev(), some, w / 100) for w in range(101)}


@pytest.mark.parametrize(("threshold", "place"), [(0.72, 1), (0.73, 0)])
def test_threshold_asks_for_the_normal_probability(threshold, place):
    """0.3 better with standard errors 0.3 and 0.4: 0.6 deviations, so 72.57 %."""
    some = prospects([0.6, 0.9], [1.0, 9.0], stds=[0.3, 0.4])

    assert place == chosen(Threshold(threshold=threshold), some)
    assert pytest.approx(0.7257 - threshold, abs=1e-4) == means(Threshold(threshold=threshold), some)[1]


@pytest.mark.parametrize(("strong", "probability"), [(0.4, 0.0), (0.5, 0.5), (0.6, 1.0)])
def test_threshold_without_standard_errors_is_sure(strong, probability):
    """Better, worse, or neither; at the threshold itself the strong is taken."""
    some = prospects([0.5, strong], [1.0, 2.0])

    assert 1 == chosen(Threshold(threshold=probability), some)
    assert 0 == chosen(Threshold(threshold=min(probability + 0.01, 1.0)), some) or probability == 1


def test_threshold_takes_shares():
    """0.9 of 0.9 and 0.3 is three quarters; of nothing, a half."""
    threshold = Threshold(probability="share", threshold=0.5)

    assert pytest.approx([0.0, 0.25]) == means(threshold, prospects([0.3, 0.9], [1.0, 9.0]))
    assert pytest.approx([0.0, 0.0], abs=1e-9) == means(threshold, prospects([0.0, 0.0], [1.0, 9.0]))


def test_threshold_passes_over_the_others():
    """However good, they are for when neither of the two is there; then the best is taken."""
    threshold = Threshold(strong="m2", weak="m1")

    assert 2 == chosen(threshold, prospects([1.0, 0.5, 0.6, 1.0], [1.0, 2.0, 3.0, 4.0]))
    assert 1 == chosen(threshold, prospects([1.0, 0.5], [1.0, 2.0]))
    assert 1 == chosen(Threshold(strong="m8", weak="m9"), prospects([0.2, 0.5], [1.0, 2.0]))


def test_threshold_turns_the_question_where_the_strong_costs_less():
    """Then the weak has to be better for sure to be worth its price."""
    threshold = Threshold(strong="m0", weak="m1", threshold=0.9)

    assert 0 == chosen(threshold, prospects([0.5, 0.6], [1.0, 2.0], stds=[0.1, 0.1]))
    assert 1 == chosen(threshold, prospects([0.5, 0.9], [1.0, 2.0], stds=[0.1, 0.1]))


def test_adequate_takes_the_cheapest_above_the_floor():
    """And ranks the adequate by cost, the others by quality."""
    some = prospects([0.2, 0.6, 0.7, 0.9, 0.5], [1.0, 2.0, 3.0, 4.0, 5.0])

    assert [-4.0, -2.0, 0.0, -1.0, -3.0] == means(Adequate(quality_floor=0.7), some)


def test_adequate_takes_the_best_where_none_is():
    """A floor that nobody reaches does not mean the cheapest."""
    assert 1 == chosen(Adequate(quality_floor=0.95), prospects([0.2, 0.9, 0.7], [1.0, 2.0, 3.0]))


def test_adequate_allows_slack():
    """0.6 is within 0.3 of 0.9, in spite of rounding; the dial gives the slack where nothing else does."""
    some = prospects([0.5, 0.6, 0.9], [1.0, 2.0, 3.0])

    assert 1 == chosen(Adequate(slack=0.3), some, 0.0)
    assert [0, 1, 2] == [chosen(Adequate(), some, weight) for weight in (0.6, 0.7, 1.0)]


def test_affordable_takes_the_best_within_the_cap():
    """A cap in USD; beyond it the cheaper comes first."""
    some = prospects([0.2, 0.8, 0.9, 1.0], [1.0, 2.0, 3.0, 4.0])

    assert [0.2, 0.8, -12.0, -13.0] == means(Affordable(max_cost_usd=2.5), some)
    assert 0 == chosen(Affordable(max_cost_usd=0.5), some)


def test_affordable_keeps_to_the_deadline():
    """What is too slow is not taken; an unknown latency counts as the longest."""
    some = prospects([0.2, 0.8, 0.9, 1.0], [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, NAN])

    assert 1 == chosen(Affordable(deadline_s=2.0), some, 1.0)
    assert 0 == chosen(Affordable(deadline_s=0.5), some, 1.0)
    assert 3 == chosen(Affordable(deadline_s=0.5), prospects([0.2, 0.8, 0.9, 1.0], [1.0, 2.0, 3.0, 4.0]), 1.0)


def test_affordable_turns_with_the_dial():
    """Halfway between 1 and 4 USD is 2.5; the ends include the cheapest and the dearest."""
    some = prospects([0.2, 0.8, 0.9, 1.0], [1.0, 2.0, 3.0, 4.0])

    assert [0, 1, 3] == [chosen(Affordable(), some, weight) for weight in (0.0, 0.5, 1.0)]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Convex(scale=0.0), r"scale=0.0 must be a positive number"),
        (lambda: Preference(latency=-1.0), r"unlike \{'latency': -1.0\}"),
        (lambda: Preference(quality=NAN), r"unlike \{'quality': nan\}"),
        (lambda: Preference(quality=0.0, cost=0.0), "must not all be 0"),
        (lambda: Threshold(strong="a", weak="a"), "strong and weak are both 'a'"),
        (lambda: Threshold(threshold=1.5), "threshold=1.5 must be a probability"),
        (lambda: Threshold(probability="odds"), "probability='odds' must be one of normal, share"),
        (lambda: Adequate(quality_floor=0.5, slack=0.1), "exclude each other"),
        (lambda: Adequate(slack=2.0), "slack=2.0 must lie between 0 and 1"),
        (lambda: Affordable(max_cost_usd=-1.0), "max_cost_usd=-1.0 must not be negative"),
        (lambda: Affordable(deadline_s=0.0), "deadline_s=0.0 must be more than 0"),
    ],
)
def test_refuses_options_without_a_meaning(make, message):
    """The message names the option and its value."""
    with pytest.raises(ValueError, match=message):
        make()

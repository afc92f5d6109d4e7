import pytest

from routers.gates.expected import EXPECTED
from routers.plans.cascade import Cascade
from tests.routers.plans.driving import LARGE, SMALL, Gated, Told, asked, by_model, driven

SAYS = by_model(small="s", medium="m", large="l")


def test_the_first_answer_that_passes_is_taken():
    """Cheapest first, and nobody after it is asked."""
    calls, finish = driven(Cascade(Gated(s=0.2, m=0.6), Told(), gain=-1), SAYS)

    assert [("small",), ("medium",)] == asked(calls)
    assert ("m", ["told", "cascade step=1"]) == (finish.answer.text, [call.why for call in calls])


def test_the_last_step_is_taken_in_any_case_and_relayed_as_it_comes():
    """Nothing would follow, so nobody looks at it, and it is asked for without what the gate wants."""
    calls, finish = driven(Cascade(Gated(), Told()), SAYS)

    assert [("small",), ("medium",), ("large",)] == asked(calls)
    assert [False, False, True] == [call.stream for call in calls]
    assert [{"logprobs": True}, {"logprobs": True}, {}] == [dict(call.parameters) for call in calls]
    assert "l" == finish.answer.text


def test_it_starts_with_the_routers_draw():
    """What is cheaper is never asked."""
    calls, _ = driven(Cascade(Gated(), Told("medium")), SAYS)

    assert [("medium",), ("large",)] == asked(calls)


def test_nobody_is_asked_who_is_not_expected_to_do_better():
    """AutoMix: going on is worth P(the bigger is right) - P(this one is), not 1 - P(this one is)."""
    hopeless = Told(rewards={"small": 0.3, "medium": 0.3, "large": 0.4})
    calls, finish = driven(Cascade(Gated(s=0.45), hopeless, thresholds=(0.9,)), SAYS)

    assert [("small",)] == asked(calls)
    assert "s" == finish.answer.text


def test_a_step_that_would_gain_too_little_is_left_out():
    """The medium model does not repay its price, the large one does."""
    calls, _ = driven(Cascade(Gated(s=0.6), Told(), thresholds=(0.95,), gain=0.2), SAYS)

    assert [("small",), ("large",)] == asked(calls)


def test_where_all_later_steps_are_left_out_the_best_so_far_is_returned():
    """The one that the gate trusted most, not the one that came last."""
    told = Told(rewards={"small": 0.5, "medium": 0.8, "large": 0.1})
    calls, finish = driven(Cascade(Gated(s=0.7, m=0.3), told, thresholds=(0.9,)), SAYS)

    assert [("small",), ("medium",)] == asked(calls)
    assert "s" == finish.answer.text


def test_a_step_that_fails_is_followed_by_the_next():
    """An error has no chance to be good; a last step that fails leaves what there was."""
    calls, finish = driven(Cascade(Gated(m=0.4), Told()), by_model(small=None, medium="m", large=None))

    assert 3 == len(calls)
    assert "m" == finish.answer.text


def test_thresholds_go_by_step():
    """The last one holds for all that follow."""
    _, finish = driven(Cascade(Gated(s=0.6, m=0.6), Told(), thresholds=(0.7, 0.55)), SAYS)

    assert "m" == finish.answer.text


def test_no_more_steps_than_it_may():
    """Then the last of them is the last."""
    calls, _ = driven(Cascade(Gated(), Told(), max_steps=2), SAYS)

    assert [("small",), ("medium",)] == asked(calls)


def test_a_gate_is_told_what_was_expected():
    """Of the model that has answered."""
    gate = Gated(s=1.0)
    driven(Cascade(gate, Told()), SAYS)

    assert [0.5] == [context.features[EXPECTED] for context in gate.contexts]


def test_a_pool_of_one_is_a_single_call():
    """It streams, and no gate is asked."""
    calls, finish = driven(Cascade(Gated(), Told("large")), SAYS, pool=(LARGE,))

    assert [True] == [call.stream for call in calls]
    assert "l" == finish.answer.text


def test_where_the_router_refuses_it_does_too():
    """With a reason."""
    calls, finish = driven(Cascade(Gated(), Told("large")), SAYS, pool=(SMALL,))

    assert ([], None, True) == (calls, finish.answer, bool(finish.reason))


@pytest.mark.parametrize("options", [{"thresholds": ()}, {"thresholds": (1.5,)}, {"max_steps": 0}])
def test_options_that_make_no_sense_are_refused(options):
    """Each names what is wrong."""
    with pytest.raises(ValueError, match=next(iter(options))):
        Cascade(Gated(), Told(), **options)

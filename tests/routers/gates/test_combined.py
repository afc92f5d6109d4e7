import numpy as np
import pytest

from routers.calibration.calibration import Graded
from routers.gates.calibrated import Calibrated
from routers.gates.combined import AllOf, Combined
from routers.gates.expected import EXPECTED, Expected
from routers.gates.judge import Judge
from routers.gates.logprob import Logprob
from routers.gates.wellformed import Wellformed
from routers.types import Answer, Candidate, Context

SMALL, LARGE = Candidate("small"), Candidate("large")
CONTEXT = Context("", 1)


def checked(gate, answer, context=CONTEXT, says="VERDICT: YES"):
    """Return the chance that a gate gives, and how many calls it made; whoever is asked says the same."""
    check, calls = gate.check(context, answer, [SMALL, LARGE]), 0
    try:
        call = next(check)
        while True:
            calls += 1
            call = check.send([Answer(one, text=says) for one in call.candidates])
    except StopIteration as end:
        return end.value, calls


def answer(text="fine", probability=0.8):
    """Return an answer of the small model whose tokens are all as likely."""
    return Answer(SMALL, text=text, logprobs=(float(np.log(probability)),) * 3)


def test_a_malformed_answer_never_reaches_the_judge():
    """The validator comes first and says no."""
    gate = AllOf([Wellformed(), Judge("large")])

    assert (0.0, 0) == checked(gate, answer(text=" "))
    assert (1.0, 1) == checked(gate, answer())
    assert (0.0, 1) == checked(gate, answer(), says="VERDICT: NO")


@pytest.mark.parametrize(("combine", "expected"), [("product", 0.4), ("min", 0.5)])
def test_all_are_to_be_passed(combine, expected):
    """By the product of their chances, or the least of them."""
    gate = AllOf([Wellformed(ceiling=0.5), Logprob()], combine)

    assert pytest.approx(expected) == checked(gate, answer())[0]


def test_a_low_chance_is_enough_to_stop():
    """Where half a chance is too little, nobody else is asked."""
    assert (0.5, 0) == checked(AllOf([Wellformed(ceiling=0.5), Judge("large")], least=0.5), answer())


def test_composites_answer_for_their_parts():
    """What is read, named and asked for."""
    gate = Combined([Logprob(), Judge("large"), Calibrated(Judge("small"))])

    assert {"large", "small"} == gate.named
    assert {"logprobs": True} == gate.asks
    assert frozenset() == gate.requires
    assert {"large"} == Calibrated(Judge("large")).named


def test_unfitted_gates_weigh_alike():
    """Of two that say the same, both are right."""
    assert pytest.approx(0.8) == checked(Combined([Logprob(), Logprob()]), answer())[0]


def test_fitted_gates_weigh_what_they_proved():
    """A gate that says nothing is not heard."""
    rng, gate = np.random.default_rng(0), Combined([Logprob(), Expected()])
    scores = rng.random((3000, 2))
    gate.fit(scores, ["small"] * 3000, (rng.random(3000) < scores[:, 0]).astype(float))
    low, high = (checked(gate, answer(), Context("", 1, features={EXPECTED: value}))[0] for value in (0.1, 0.9))

    assert pytest.approx(0.8, abs=0.1) == low
    assert pytest.approx(low, abs=0.15) == high
    again = Combined([Logprob(), Expected()])
    again.restore(gate.state())
    assert checked(gate, answer()) == checked(again, answer())


def test_a_calibrated_gate_says_what_scores_proved_to_mean():
    """By model and domain; the error is told."""
    rng, gate = np.random.default_rng(0), Calibrated(Logprob())
    scores = rng.random(2000)
    domains = ["law", "code"] * 1000
    rewards = np.where(np.arange(2000) % 2 == 0, 1.0, 0.0)
    gate.fit(Graded(scores, rewards, ["small"] * 2000, domains))
    law, code = (checked(gate, answer(), Context("", 1, features={"domain": one}))[0] for one in ("law", "code"))

    assert law > 0.9
    assert code < 0.1
    assert gate.error.value < 0.1
    again = Calibrated(Logprob())
    again.restore(gate.state())
    assert checked(gate, answer()) == checked(again, answer())


def test_an_uncalibrated_gate_is_taken_at_its_word():
    """There is nothing to correct it by."""
    assert pytest.approx(0.8) == checked(Calibrated(Logprob()), answer())[0]


@pytest.mark.parametrize(("feature", "expected"), [(0.7, 0.7), (3.0, 1.0), ("much", 0.5), (None, 0.5)])
def test_what_was_expected_is_a_chance(feature, expected):
    """Whatever stands there."""
    features = {} if feature is None else {EXPECTED: feature}

    assert (expected, 0) == checked(Expected(), answer(), Context("", 1, features=features))


@pytest.mark.parametrize(
    "make",
    [lambda: AllOf([]), lambda: AllOf([Logprob()], "mean"), lambda: AllOf([Logprob()], least=1), lambda: Expected(2)],
)
def test_refuses_what_cannot_be(make):
    """No gate, no such way, no chance."""
    with pytest.raises(ValueError, match=r"must be|empty"):
        make()


def test_refuses_scores_of_other_gates():
    """One column is one gate."""
    with pytest.raises(ValueError, match="2 gates, and 1"):
        Combined([Logprob()]).fit(np.zeros((3, 2)), ["a"] * 3, np.zeros(3))

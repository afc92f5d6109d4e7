import numpy as np
import pytest

from gateway.config.gates import give_encoder
from routers.gates.calibrated import Calibrated
from routers.gates.combined import AllOf
from routers.gates.encoding import comparing
from routers.gates.similarity import Similarity
from routers.gates.wellformed import Wellformed
from routers.plans.cascade import Cascade
from tests.routers.gates.asking import SMALL, chance, checked, told
from tests.routers.plans.driving import Told

AXES = {"a": (1.0, 0.0), "b": (0.6, 0.8), "c": (0.0, 1.0), "d": (-1.0, 0.0)}


def gate(**options):
    built = Similarity(**options)
    built.encode = lambda texts: np.array([AXES[text] for text in texts], np.float32)
    return built


def test_the_same_model_is_asked_again():
    """With the same request, at a temperature that lets it differ."""
    calls, _ = checked(gate(samples=3), told("a"), "a", "a", "a")

    assert [(SMALL,) * 3] == [call.candidates for call in calls]
    assert {"temperature": 0.7} == dict(calls[0].parameters)


@pytest.mark.parametrize(
    ("said", "found"),
    [(("a", "a"), 1.0), (("b", "b"), 0.6), (("a", "c"), 0.5), (("d", "d"), 0.0), (("a", None), 0.5), ((None, None), 0)],
)
def test_the_mean_cosine_counts(said, found):
    """What is opposed counts as unlike, and what fails as well."""
    assert pytest.approx(found) == chance(gate(), told("a"), *said)


@pytest.mark.parametrize("answer", [told(""), told(" \n")])
def test_an_answer_without_words_is_like_nothing(answer):
    """Nothing is compared."""
    assert 0.0 == chance(gate(), answer, "a", "a")


def test_without_an_encoder_it_says_so():
    """Rather than guess."""
    with pytest.raises(RuntimeError, match="no encoder"):
        chance(Similarity(), told("a"), "a", "a")


def test_a_gateway_gives_every_such_gate_its_encoder():
    """However deep it is; answers of the same meaning are liker than others."""
    inner = Similarity()
    cascade = Cascade(Calibrated(AllOf([Wellformed(), inner])), Told())
    give_encoder(cascade)
    same = "The meeting was moved to Friday, because the room is taken on Thursday."
    other = "On Thursday the room is occupied, and so the meeting takes place on Friday."
    unlike = "Photosynthesis turns light into chemical energy."

    assert (inner,) == comparing(cascade)
    assert chance(inner, told(same), other, other) > chance(inner, told(same), unlike, unlike) + 0.2


@pytest.mark.parametrize("options", [{"samples": 0}, {"temperature": 0.0}])
def test_options_that_make_no_sense_are_refused(options):
    """Equal samples would tell nothing."""
    with pytest.raises(ValueError, match=next(iter(options))):
        Similarity(**options)

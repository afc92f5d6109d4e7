import numpy as np
import pytest

from routers.estimators.knn import KNN
from routers.estimators.wording import Wording
from routers.tongue import LEXICAL, READING, Tongue
from routers.types import Candidate, Context, Outcomes

POOL = [Candidate("small")]
ALIKE = np.array([1, 0], np.float32)
QUESTIONS = tuple(f"What is {a} plus {b}?" for a in range(10) for b in range(5))
ORDERS = tuple(f"Write a function that sorts list {a} by column {b}" for a in range(10) for b in range(5))


class Recorded(KNN):
    """Nearest neighbours that keep what they were given to learn."""

    def learn(self, outcomes):
        """Learn, and keep the outcomes."""
        self.given = outcomes
        super().learn(outcomes)


def learned(estimator, texts=QUESTIONS + ORDERS):
    """Return an estimator that learned texts with one and the same embedding, of which the first half was easy."""
    n = 100
    rewards = np.repeat(np.array([[1.0], [0.0]], np.float32), n // 2, axis=0)
    gap = np.full((n, 1), np.nan, np.float32)
    estimator.learn(Outcomes(("small",), np.tile(ALIKE, (n, 1)), rewards, gap, gap, texts=texts))
    return estimator


def expected(estimator, *texts):
    """Return what is expected of these texts."""
    contexts = [Context(text, 3, embedding=ALIKE) for text in texts]
    return estimator.predict(contexts, POOL).mean[:, 0].tolist()


def test_tells_apart_what_the_encoder_does_not():
    """The embeddings are equal; how the texts are put is not."""
    texts = ("What is 12 plus 7?", "Write a function that sorts list 3 by column 9")

    assert [1, 0] == expected(learned(Wording(KNN(neighbours=9, shrinkage=0.0))), *texts)
    assert [0.5, 0.5] == expected(learned(KNN(neighbours=100, shrinkage=0.0)), *texts)


def test_embedding_is_continued_to_unit_length():
    """By as many numbers as a reading has."""
    inner = Recorded()
    learned(Wording(inner))

    assert (100, 2 + READING) == inner.given.embeddings.shape
    assert np.allclose(1, np.linalg.norm(inner.given.embeddings, axis=1))


def test_texts_that_nobody_kept_are_read_as_empty():
    """A log without texts leaves the embedding to tell requests apart."""
    wording = learned(Wording(KNN(neighbours=100, shrinkage=0.0)), texts=())

    assert [0.5] == expected(wording, "What is 1 plus 1?")


def test_later_outcomes_are_read_as_the_first_were():
    """The analysis stays, so that rows kept stay comparable."""
    wording = learned(Wording(KNN(neighbours=9, shrinkage=0.0)))
    before = wording.state()["tongue.lexicon.weights"]
    learned(wording, texts=ORDERS + QUESTIONS)

    assert np.array_equal(before, wording.state()["tongue.lexicon.weights"])


def test_another_encoder_is_refused():
    """Embeddings of another length cannot be compared."""
    wording = learned(Wording(KNN()))

    with pytest.raises(ValueError, match="run `pointsman train` again"):
        wording.predict([Context("x", 1, embedding=np.ones(3, np.float32))], POOL)


def test_request_without_embedding_stays_without():
    """The other estimator says what it then does."""
    wording = learned(Wording(KNN()))

    assert [0.5] == wording.predict([Context("What is 1 plus 1?", 3)], POOL).mean[:, 0].tolist()


def test_no_text_is_kept():
    """Neither in what is saved nor beside it."""
    secret = tuple(f"{text} zebracrossing" for text in QUESTIONS + ORDERS)
    state = learned(Wording(KNN()), texts=secret).state()

    assert not any("zebra" in str(array.tolist()) for array in state.values() if array.dtype.kind in "SU")
    assert not any(b"zebra" in array.tobytes() for array in state.values())


def test_readings_are_bounded():
    """However odd a text is beside those that were fitted to."""
    tongue = Tongue.of(QUESTIONS, 0)
    reading = tongue.read("\\" * 10_000)

    assert (READING,) == reading.shape
    assert np.abs(reading[LEXICAL:]).max() <= 1 / 3 + 1e-6
    assert np.isfinite(reading).all()

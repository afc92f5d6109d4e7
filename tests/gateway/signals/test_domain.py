import dataclasses
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.signals.base import Request
from gateway.signals.domain import OTHER, Classes, DomainError, DomainSignal, fit
from gateway.signals.domain.views import CHARACTERS
from gateway.signals.domain.weights import PROBE, SHA256, read_weights, shipped_weights
from gateway.signals.minilm_encoder import MiniLMEncoder

EXAMPLES = {
    "gardening": [
        "how often should I water a cactus",
        "my tomato leaves are turning yellow",
        "when do tulips get planted",
        "what is the best soil for roses",
        "how do I prune an apple tree",
        "do slugs eat lettuce",
    ],
    "chess": [
        "explain the Sicilian defence",
        "is a bishop worth more than a knight",
        "how do I castle on the queen's side",
        "what is a stalemate",
        "who plays first, white or black",
        "show me an endgame with rook and pawn",
    ],
    "sewing": [
        "which needle do I need for denim",
        "how do I hem a skirt by hand",
        "the bobbin thread keeps tangling",
        "what is a blind stitch",
        "how much fabric does a shirt take",
        "can I sew leather on a normal machine",
    ],
}
DESCRIPTIONS = {
    "gardening": "plants, flowers, trees, soil and pests in the garden",
    "chess": "the board game chess: openings, endgames, rules and pieces",
    "sewing": "needles, thread, fabric, stitches and sewing machines",
}
QUERIES = {
    "gardening": ["why do my basil plants wilt", "how deep should I plant potatoes"],
    "chess": ["what does en passant mean", "best reply to the queen's gambit"],
    "sewing": ["how do I thread my sewing machine", "which stitch suits stretchy cotton cloth"],
}


@pytest.fixture(scope="module")
def encoder():
    return MiniLMEncoder()


@pytest.fixture(scope="module")
def classifier(encoder):
    return fit(Classes.of(EXAMPLES), encoder.encode)


def request(text):
    return Request(body={}, text=text, at=datetime(2026, 1, 1, tzinfo=UTC))


def found(classifier, encoder, texts):
    return [reading.domain for reading in classifier.read_batch(encoder.encode(texts), texts)]


@pytest.mark.parametrize(
    ("examples", "descriptions"),
    [
        (EXAMPLES, {}),
        ({}, DESCRIPTIONS),
        (EXAMPLES, DESCRIPTIONS),
        ({"chess": EXAMPLES["chess"], "sewing": EXAMPLES["sewing"]}, {"gardening": DESCRIPTIONS["gardening"]}),
    ],
    ids=["examples", "descriptions", "both", "mixed"],
)
def test_tells_classes_apart_however_they_are_written(encoder, examples, descriptions):
    """Examples, descriptions, both, and one class of each kind beside the other: all work."""
    classifier = fit(Classes.of(examples, descriptions), encoder.encode, threshold=1)

    assert {name: [name] * len(texts) for name, texts in QUERIES.items()} == {
        name: found(classifier, encoder, texts) for name, texts in QUERIES.items()
    }


def test_calls_what_resembles_no_example_other(classifier, encoder):
    """A request of no class is other, and its confidence is how unfamiliar it is."""
    text = "what is the capital of Mongolia"

    reading = classifier.read(encoder.encode([text])[0], text)

    assert reading.domain == OTHER
    assert reading.confidence == reading.ood > 0.5


def test_unfamiliar_requests_have_higher_ood_than_familiar_ones(classifier, encoder):
    """Each request of a class is more familiar than each of none."""
    inside = [text for texts in QUERIES.values() for text in texts]
    outside = ["what is the capital of Mongolia", "who won the war of 1812", "is my parcel on its way"]

    readings = classifier.read_batch(encoder.encode(inside + outside), inside + outside)

    oods = [reading.ood for reading in readings]
    assert max(oods[: len(inside)]) < min(oods[len(inside) :])


def test_threshold_of_one_never_says_other(encoder):
    """With the threshold at its end, the best class is named."""
    classifier = fit(Classes.of(EXAMPLES), encoder.encode, threshold=1)

    assert OTHER not in found(classifier, encoder, ["what is the capital of Mongolia", "12345", "好的"])


def test_threshold_of_zero_always_says_other(encoder):
    """With the threshold at its other end, nothing is familiar enough."""
    classifier = fit(Classes.of(EXAMPLES), encoder.encode, threshold=0)

    assert [OTHER] == found(classifier, encoder, ["how do I hem a skirt"])


def test_order_of_classes_and_examples_does_not_matter(classifier, encoder):
    """What was written in another order gives the same readings to the last bit."""
    turned = {name: EXAMPLES[name][::-1] + EXAMPLES[name][:1] for name in reversed(EXAMPLES)}
    texts = [text for texts in QUERIES.values() for text in texts]
    vectors = encoder.encode(texts)

    other = fit(Classes.of(turned), encoder.encode)

    assert classifier.read_batch(vectors, texts) == other.read_batch(vectors, texts)


def test_batch_agrees_with_single_readings(classifier, encoder):
    """A text's reading does not depend on its company."""
    texts = [text for texts in QUERIES.values() for text in texts]
    vectors = encoder.encode(texts)

    single = [classifier.read(vector, text) for vector, text in zip(vectors, texts, strict=True)]

    for one, other in zip(single, classifier.read_batch(vectors, texts), strict=True):
        assert (one.domain, one.second) == (other.domain, other.second)
        assert one.ood == pytest.approx(other.ood, abs=1e-4)
        assert one.confidence == pytest.approx(other.confidence, abs=1e-4)


def test_empty_batch_has_no_readings(classifier):
    """No texts, no readings."""
    assert [] == classifier.read_batch(np.zeros((0, 384), np.float32), [])


@settings(max_examples=40, deadline=None)
@given(text=st.text(), seed=st.integers(0, 99))
def test_numbers_stay_within_bounds(classifier, text, seed):
    """Whatever a text and its vector are, the numbers are in [0, 1] and the names are known."""
    vector = np.random.default_rng(seed).normal(size=384).astype(np.float32)

    reading = classifier.read(vector / np.linalg.norm(vector), text)

    assert reading.domain in {*EXAMPLES, OTHER}
    assert reading.second in EXAMPLES
    assert all(0 <= value <= 1 for value in (reading.confidence, reading.ood, reading.margin))


def test_a_class_of_many_examples_does_not_swallow_one_of_few(encoder):
    """Two examples hold their own against six."""
    classifier = fit(Classes.of(EXAMPLES | {"chess": EXAMPLES["chess"][:2]}), encoder.encode, threshold=1)

    texts = ["is a rook worth more than a queen", "best reply to the queen's gambit"]
    assert ["chess", "chess"] == found(classifier, encoder, texts)


@pytest.mark.parametrize(
    ("examples", "descriptions", "message"),
    [
        ({"a": ["x"]}, {}, "two classes"),
        ({"a": ["x"], "b": []}, {}, "'b' has neither examples nor a description"),
        ({"a": ["x"], "b": ["  "]}, {}, "'b' has an empty example"),
        ({"a": ["x"], "other": ["y"]}, {}, "'other' is kept"),
        ({"a": ["x"], " ": ["y"]}, {}, "empty name"),
        ({"a": ["Pay  my bill"], "b": ["pay my bill"]}, {}, "example of both 'a' and 'b'"),
        ({"a": ["x"], "b": [str(n) for n in range(1001)]}, {}, "'b' has 1001 examples"),
        ({"a": ["x"]}, {"b": "  "}, "'b' has neither"),
    ],
)
def test_refuses_classes_that_cannot_work(examples, descriptions, message):
    """A mistake is named, with its class."""
    with pytest.raises(DomainError, match=message):
        Classes.of(examples, descriptions)


def test_refuses_entries_that_do_not_match():
    """Names, texts and descriptions go together."""
    with pytest.raises(DomainError, match="one entry for each class"):
        Classes(names=("a", "b"), texts=(("x",),), descriptions=("", ""))


def test_refuses_names_out_of_order():
    """The order is part of the state, so that there is one only."""
    with pytest.raises(DomainError, match="sorted"):
        Classes(names=("b", "a"), texts=(("x",), ("y",)), descriptions=("", ""))


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_refuses_thresholds_outside_the_scale(encoder, threshold):
    """A threshold is compared with numbers between 0 and 1."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        fit(Classes.of(EXAMPLES), encoder.encode, threshold=threshold)


def test_refuses_an_encoder_of_another_dimension():
    """The weights belong to one encoder."""
    with pytest.raises(DomainError, match="384 dimensions, not 8"):
        fit(Classes.of(EXAMPLES), lambda texts: np.ones((len(texts), 8), np.float32))


def test_refuses_another_encoder_of_the_same_dimension():
    """An encoder that puts the probe elsewhere is another one."""
    vector = np.eye(384, dtype=np.float32)[0]

    with pytest.raises(DomainError, match="use 'minilm'"):
        fit(Classes.of(EXAMPLES), lambda texts: np.tile(vector, (len(texts), 1)))


def test_refuses_damaged_weights(tmp_path):
    """A file that is not what was fitted is not read."""
    file = tmp_path / "weights.npz"
    file.write_bytes(b"damaged")

    with pytest.raises(DomainError, match="damaged"):
        read_weights(file, SHA256)


def test_refuses_missing_weights(tmp_path):
    """A file that is missing is named."""
    with pytest.raises(DomainError, match="cannot be read"):
        read_weights(tmp_path / "weights.npz", SHA256)


def test_shipped_weights_belong_to_the_built_in_encoder(encoder):
    """The probe's vector is the one that the encoder gives."""
    weights = shipped_weights()

    assert encoder.encode([PROBE])[0] @ weights.probe > 0.999
    assert weights.metric.shape == (384, 384)
    assert weights.words.shape == (30522, 64)
    assert np.allclose(np.linalg.norm(weights.background, axis=1), 1, atol=1e-2)


def test_background_that_is_like_an_example_is_left_out(encoder):
    """Whoever wants general questions as a class gets them."""
    weights = shipped_weights()
    background = encoder.encode(["what is the capital of Peru", "how tall is the Eiffel tower"])
    general = ["what is the capital of Peru", "what is the capital of Chile", "how high is Mont Blanc"]
    classes = Classes.of({"general": general, "chess": EXAMPLES["chess"]})

    novelty = fit(classes, encoder.encode, weights=dataclasses.replace(weights, background=background))._fitted.novelty

    assert len(novelty.background) < len(background)


def test_signal_reports_what_it_provides(classifier, encoder):
    """The features are those announced."""
    signal = DomainSignal(classifier)
    text = QUERIES["chess"][0]

    features = signal.read(request(text), encoder.encode([text])[0])

    assert set(signal.provides) == set(features)
    assert features["domain"] == "chess"
    assert features["domain.truncated"] is False


@pytest.mark.parametrize("text", ["", " \n"])
def test_signal_knows_nothing_of_empty_texts(classifier, text):
    """An empty text has no class."""
    assert {} == DomainSignal(classifier).read(request(text), np.ones(384, np.float32))


def test_signal_knows_nothing_without_an_embedding(classifier):
    """An embedding that missed its deadline leaves the domain unknown."""
    assert {} == DomainSignal(classifier).read(request("how do I castle"), None)


@pytest.mark.parametrize("text", ["♟️🌱", "\ud800 castle \udfff", "كيف ألعب الشطرنج", "x" * 1_000_000])
def test_signal_reads_any_text(classifier, encoder, text):
    """Emoji, lone surrogates, other scripts and a megabyte are read, and said to be truncated where they are."""
    features = DomainSignal(classifier).read(request(text), encoder.encode([text])[0])

    assert features["domain"] in {*EXAMPLES, OTHER}
    assert features["domain.truncated"] == (len(text) > 2 * CHARACTERS)


def test_many_examples_are_compared_in_a_thread(classifier, encoder):
    """A signal says so when it has more to compare than an event loop may wait for."""
    many = {name: [f"{text} {n}" for text in texts for n in range(40)] for name, texts in EXAMPLES.items()}
    signal = DomainSignal(fit(Classes.of(many), _cheap(encoder)))

    assert signal.blocking
    assert not DomainSignal(classifier).blocking


def _cheap(encoder):
    """Return an encoder that knows the probe alone, and puts all else at random."""

    def encode(texts):
        rng = np.random.default_rng(0)
        vectors = rng.normal(size=(len(texts), 384)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors[-1] = encoder.encode(texts[-1:])[0]
        return vectors

    return encode

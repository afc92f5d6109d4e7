"""What holds for every signal: `check_signal` is run on each, whatever it finds out."""

from __future__ import annotations

import copy
import math
import re
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.signals.base import Kind
from tests.gateway.signals.bodies import BODIES, ODD_BODIES, ODD_TEXTS, PIECES, conversation, plain, request

#: What each kind of feature is in Python, exactly: a bool is no number here.
TYPES = {Kind.NUMBER: {float, int}, Kind.TEXT: {str}, Kind.TRUTH: {bool}, Kind.TEXTS: {tuple}}
#: A text so many times as long may take so many times as long (what is linear takes 16 times), and a little more.
TIMES_LONGER, TIMES_SLOWER, LEAST_SECONDS = 16, 40, 0.02


def check_signal(signal, *, dimension=384, examples=50):
    """Check a signal: its names, the kinds of what it gives, that it is pure, bounded, and never raises."""
    _check_names(signal)
    embedding = np.zeros(dimension, np.float32)
    embedding[0] = 1
    for vector in (None, embedding):
        asked = [make(text) for text in ODD_TEXTS for make in (plain, conversation)]
        _check_purity(signal, asked[:12], vector)
        _check_features(signal, [signal.read(each, vector) for each in asked])
    _check_bodies(signal, embedding, examples)
    _check_length(signal, embedding)


def _check_names(signal):
    assert re.fullmatch(r"[a-z][a-z0-9_-]*", signal.name), f"{signal.name!r} is no name of a signal"
    assert isinstance(signal.reads_embedding, bool)
    assert isinstance(signal.blocking, bool)
    assert signal.provides, "it provides nothing"
    for name, kind in signal.provides.items():
        assert isinstance(kind, Kind), f"{name} is of no kind"
        assert re.fullmatch(r"[a-z][a-z0-9_.-]*(\.\*)?", name), f"{name!r} is no name of a feature"
        assert not name.endswith(".*") or kind is Kind.TEXT, f"{name} stands for several, and is no text"


def _kind_of(signal, name):
    if name in signal.provides:
        return signal.provides[name]
    wild = [known for known in signal.provides if known.endswith(".*") and name.startswith(known[:-1])]
    assert wild, f"{signal.name} gives {name!r}, which it does not say that it provides"
    return signal.provides[wild[0]]


def _check_features(signal, readings):
    for features in readings:
        assert type(features) is dict
        for name, value in features.items():
            assert type(value) in TYPES[_kind_of(signal, name)], f"{name} is {value!r}, a {type(value).__name__}"
            assert type(value) not in (float, int) or math.isfinite(value), f"{name} is {value!r}"
            assert type(value) is not tuple or all(type(each) is str for each in value), f"{name} holds {value!r}"


def _check_purity(signal, asked, embedding):
    before = [copy.deepcopy(each.body) for each in asked]
    first = [signal.read(each, embedding) for each in asked]
    with ThreadPoolExecutor(4) as threads:
        for again in threads.map(lambda _: [signal.read(each, embedding) for each in asked], range(8)):
            assert first == again, "the same request is read differently"
    assert before == [each.body for each in asked], "the request was changed"


def _check_bodies(signal, embedding, examples):
    for body in ODD_BODIES:
        _check_features(signal, [signal.read(request(body), embedding)])

    # The same bodies each time: a signal of another module must not fail by chance.
    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(BODIES, st.booleans())
    def reads_any(body, with_embedding):
        _check_features(signal, [signal.read(request(body), embedding if with_embedding else None)])

    reads_any()


def _check_length(signal, embedding):
    for number, piece in enumerate(PIECES):
        make = (plain, conversation)[number % 2]
        text = (piece * (2**20 // len(piece)))[: 2**20]
        short, long = (make(text[: 2**20 // times]) for times in (TIMES_LONGER, 1))
        allowed = TIMES_SLOWER * _seconds(signal, short, embedding) + LEAST_SECONDS
        took = _seconds(signal, long, embedding)
        assert took <= allowed, f"1 MB of {piece!r} takes {took:.3f} s, more than {allowed:.3f} s"
        _check_features(signal, [signal.read(long, embedding)])


def _seconds(signal, asked, embedding):
    took = []
    for _ in range(2):
        began = time.perf_counter()
        signal.read(asked, embedding)
        took.append(time.perf_counter() - began)
    return min(took)

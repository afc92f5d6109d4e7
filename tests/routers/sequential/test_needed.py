from __future__ import annotations

import math

import numpy as np
import pytest

from routers.sequential.boundary import Boundary
from routers.sequential.needed import information_needed, requests_needed

BOUNDARY = Boundary(0.0125, tuned_at=1000)


def test_an_effect_is_found_as_often_as_is_promised():
    """Of 300 running means with the effect, about 95 % or more have crossed the bound by then."""
    wanted = information_needed(0.1, 1.0, BOUNDARY)
    numbers = np.arange(1, round(wanted) + 1)
    bound = np.array([BOUNDARY.errors(float(n)) for n in numbers])
    rng = np.random.default_rng(8)
    found = [((np.cumsum(rng.normal(0.1, 1.0, len(numbers))) / np.sqrt(numbers)) > bound).any() for _ in range(300)]

    assert 0.92 <= np.mean(found) <= 1


@pytest.mark.parametrize(("effect", "expected"), [(0.0, math.inf), (-0.1, math.inf), (1e-9, math.inf)])
def test_what_cannot_be_found_takes_for_ever(effect, expected):
    """No effect, or one that no traffic shows."""
    assert expected == information_needed(effect, 1.0, BOUNDARY)


def test_an_uneven_share_takes_more_requests():
    """And so does feedback that few give."""
    even = requests_needed(100, 0.5)

    assert 400 == even
    assert 2106 == requests_needed(100, 0.05)
    assert 4000 == requests_needed(100, 0.5, seen=0.1)
    assert math.isinf(requests_needed(100, 0.0))
    assert math.isinf(requests_needed(math.inf, 0.5))

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.caching.nearest import NEIGHBOURS, Bucket
from gateway.caching.question import Near

DIMENSION = 3
KEYS = st.integers(0, 12).map(lambda n: b"key%d" % n)
VECTORS = st.lists(st.integers(-3, 3), min_size=DIMENSION, max_size=DIMENSION).map(
    lambda values: np.array(values, np.float32)
)
MOST = 8


class Searching(RuleBasedStateMachine):
    """A bucket beside a list that is searched one by one."""

    def __init__(self):
        super().__init__()
        self.bucket = Bucket(DIMENSION, MOST)
        self.asked = {}

    @rule(key=KEYS, vector=VECTORS, expires=st.integers(0, 5))
    def add(self, key, vector, expires):
        """Add one; the oldest goes where there are too many."""
        self.asked.pop(key, None)
        if len(self.asked) == MOST:
            self.asked.pop(next(iter(self.asked)))
        self.asked[key] = (vector, expires)
        self.bucket.add(key, Near(b"b", key.decode(), vector), expires)

    @rule(key=KEYS)
    def discard(self, key):
        """Also what is not there."""
        self.asked.pop(key, None)
        self.bucket.discard(key)

    @rule(vector=VECTORS, least=st.integers(-9, 27), now=st.integers(0, 6))
    def search(self, vector, least, now):
        """Nearest first, a few at most; what has expired and is met is gone."""
        met = {key: float(v @ vector) for key, (v, _) in self.asked.items() if v @ vector >= least}
        alive = {key: cosine for key, cosine in met.items() if self.asked[key][1] > now}

        found = self.bucket.nearest(vector, least, now)

        assert sorted(alive.values(), reverse=True)[:NEIGHBOURS] == [one.cosine for one in found]
        assert all(alive[one.key] == one.cosine and one.text == one.key.decode() for one in found)
        self.asked = {key: held for key, held in self.asked.items() if key not in met or key in alive}

    @invariant()
    def as_many(self):
        """No more and no fewer."""
        assert len(self.asked) == len(self.bucket)


TestSearching = Searching.TestCase
TestSearching.settings = settings(max_examples=60, stateful_step_count=30)


def test_vectors_of_another_length_are_refused():
    """Another encoder's do not compare."""
    bucket = Bucket(DIMENSION)

    with pytest.raises(ValueError, match=r"\(4,\), not \(3,\)"):
        bucket.add(b"k", Near(b"b", "t", np.ones(4, np.float32)), 1)
    assert [] == bucket.nearest(np.ones(4, np.float32), 0.5, 0)

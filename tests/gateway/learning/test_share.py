from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.learning.share import FOLDED, Share, folded, merged, total
from routers.sums import Sums

NAMES = "abcd"


def share(name, version):
    """Return a version of a share: the later it is, the more is in it."""
    numbers = [0.1 * (NAMES.index(name) + 1) * n for n in range(1, version + 1)]
    sums = Sums.of({"n": [version], name: [sum(numbers)]})
    return Share(version, version, 1000 + version, sums, {"small": {name: version}})


def everything():
    """Return shares of several replicas, several versions of each, one after the other, as they are told."""
    one = st.tuples(st.sampled_from(NAMES), st.integers(1, 4))
    return st.lists(one, max_size=12).map(lambda told: [{name: share(name, version)} for name, version in told])


@given(everything(), st.randoms(use_true_random=False))
def test_it_does_not_matter_who_hears_what_when(told, rng):
    """In any order, in any grouping, however often: the same totals come out, bit for bit."""
    expected = total(reduce(merged, told, {}))
    shuffled = told * 2
    rng.shuffle(shuffled)
    cut = rng.randrange(len(shuffled) + 1)
    left, right = (reduce(merged, part, {}) for part in (shuffled[:cut], shuffled[cut:]))

    for found in (total(merged(left, right)), total(merged(right, left)), total(merged(merged(left, right), left))):
        assert expected.fingerprint() == found.fingerprint()
        assert expected.same(found)


@given(everything(), st.sets(st.sampled_from(NAMES)), st.randoms(use_true_random=False))
def test_what_is_folded_counts_once(told, gone, rng):
    """Whether or not it is still known alone, or an earlier version of it comes back."""
    known = reduce(merged, told, {})
    together = folded(known, frozenset(gone), 1)
    expected = total(known)
    shuffled = [*told, {FOLDED: together}]
    rng.shuffle(shuffled)

    assert expected.fingerprint() == total(reduce(merged, shuffled, {})).fingerprint()
    left = {name: one for name, one in known.items() if name not in gone}
    assert expected.fingerprint() == total({**left, FOLDED: together}).fingerprint()


def test_folding_goes_on():
    """What was folded before stays in it, and nothing is folded twice."""
    known = {name: share(name, 2) for name in NAMES}
    first = folded(known, frozenset("ab"), 1)
    second = folded({**known, FOLDED: first}, frozenset("abc"), 2)

    assert {"a": 2, "b": 2, "c": 2} == second.within
    assert total(known).fingerprint() == total({"d": known["d"], FOLDED: second}).fingerprint()


def test_a_share_comes_back_as_it_was():
    """As bytes, and without what came before."""
    later, earlier = share("a", 3), share("a", 1)

    assert later.same(Share.from_bytes(later.to_bytes()))
    assert 3 == Share.from_bytes(later.to_bytes()).version
    assert later.fingerprint() == (later.without(earlier) + earlier).fingerprint()


@pytest.mark.parametrize("raw", [b"", b"{}\n", b"[]\n", b'{"version": 1}\n', share("a", 1).to_bytes()[:-30], b"\xff\n"])
def test_what_is_no_share_is_refused(raw):
    """Half of one, or something else."""
    with pytest.raises(ValueError):  # noqa: PT011 - of whatever message
        Share.from_bytes(raw)

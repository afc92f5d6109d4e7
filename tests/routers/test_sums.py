from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from routers.sums import Sums

numbers = arrays.arrays(
    "float64", arrays.array_shapes(max_dims=3, max_side=3, min_side=0), elements=st.floats(-1e6, 1e6)
)
sums = st.dictionaries(st.text(max_size=5), numbers, max_size=5).map(Sums.of)


@given(sums)
def test_bytes_hold_all_of_it(made):
    """Names, shapes and numbers, to the last bit; equal sums have equal bytes."""
    again = Sums.from_bytes(made.to_bytes())

    assert made == again
    assert {name: part.shape for name, part in made.parts.items()} == {n: p.shape for n, p in again.parts.items()}
    assert made.to_bytes() == again.to_bytes()


@given(sums, st.integers(0, 200), st.binary(max_size=3))
def test_damaged_bytes_are_refused_or_read(made, place, damage):
    """Whatever was changed: the error is the one that is promised, and no other."""
    raw = made.to_bytes()
    try:
        Sums.from_bytes(raw[:place] + damage + raw[place + 1 :])
    except ValueError as error:
        assert "these bytes hold no sums" in str(error)  # noqa: PT017 - it need not be raised


@pytest.mark.parametrize(
    "raw", [b"", b"nonsense", b"[]", b"{}\n", b"[[1]]\nx", b'[["a", [2]]]\n' + Sums().to_bytes()[3:]]
)
def test_what_holds_no_sums_is_refused(raw):
    """With one error, whatever is wrong with it."""
    with pytest.raises(ValueError, match="these bytes hold no sums"):
        Sums.from_bytes(raw)

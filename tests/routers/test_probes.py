from collections import Counter
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from routers.probes import choose_probes


@given(st.lists(st.sampled_from("xyz"), min_size=1, max_size=60), st.integers(1, 70), st.integers(0, 9))
def test_probes_are_spread_over_the_tasks(tasks, number, seed):
    """As many as asked for, each once, and of no task more than one above another that has any left."""
    chosen = choose_probes(np.full((len(tasks), 2), 0.5), tasks, number, Random(seed))

    taken, there = Counter(tasks[n] for n in chosen), Counter(tasks)
    assert min(number, len(tasks)) == len(chosen) == len(set(chosen))
    for task in there:
        assert taken[task] == there[task] or taken[task] >= max(taken.values()) - 1


def test_foregone_probes_come_last():
    """What all pass or all fail is asked only when nothing else is left."""
    chances = np.array([[1.0, 0.99], [0.5, 0.6], [0.0, 0.01], [1.0, 0.0]])

    assert [1, 3] == choose_probes(chances, ["t"] * 4, 2, Random(0))
    assert {1, 3} < set(choose_probes(chances, ["t"] * 4, 3, Random(0)))
    assert [0, 1] == choose_probes(np.zeros((2, 0)), ["t"] * 2, 5, Random(0))

from __future__ import annotations

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from gateway.signals.wanted import wanted_of

SIGNALS = {
    f"{blocks}{reads}": SimpleNamespace(name=f"{blocks}{reads}", blocking=blocks == "b", reads_embedding=reads == "e")
    for blocks in ("a", "b")
    for reads in ("e", "f")
}
NAMES = st.frozensets(st.sampled_from([*SIGNALS, "embedding", "unheard-of"]))


@given(NAMES, st.sampled_from(["embedding", None]))
def test_each_signal_that_is_wanted_is_read_once(names, embedding):
    """In threads if it blocks, and after the embedding if it reads it, and there is one."""
    wanted = wanted_of(names, SIGNALS, embedding)
    groups = (wanted.here, wanted.in_threads, wanted.here_last, wanted.in_threads_last)

    assert sorted(names & SIGNALS.keys()) == sorted(signal.name for group in groups for signal in group)
    assert not any(signal.blocking for signal in (*wanted.here, *wanted.here_last))
    assert all(signal.blocking for signal in (*wanted.in_threads, *wanted.in_threads_last))
    last = {signal.name for signal in (*wanted.here_last, *wanted.in_threads_last)}
    assert ({name for name in names if name.endswith("e")} if embedding else set()) == last


@given(NAMES)
def test_the_embedding_is_wanted_by_name_or_by_who_reads_it(names):
    """And by nobody where nothing embeds."""
    assert bool(names & {"embedding", "ae", "be"}) == wanted_of(names, SIGNALS, "embedding").embedding
    assert not wanted_of(names, SIGNALS, None).embedding


@given(NAMES)
def test_what_blocks_makes_a_request_wait(names):
    """Nothing else does, but for the embedding."""
    assert names.isdisjoint({"be", "bf"}) == wanted_of(names, SIGNALS, "embedding").now

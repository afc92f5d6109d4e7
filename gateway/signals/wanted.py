"""What a set of names of signals stands for: what is read first, what after the embedding, here and in threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.signals.base import Signal


class Wanted(NamedTuple):
    """Signals to be read first, and after the embedding, here and in threads.

    `embedding` tells that it is wanted, by name or by a signal; `now` that nothing but that makes a request wait.
    """

    here: tuple[Signal, ...]
    in_threads: tuple[Signal, ...]
    here_last: tuple[Signal, ...]
    in_threads_last: tuple[Signal, ...]
    embedding: bool
    now: bool


def wanted_of(names: frozenset[str], known: Mapping[str, Signal], embedding: str | None) -> Wanted:
    """Return what the names stand for, in alphabetical order; names that are not known stand for nothing.

    `embedding` is the name of the embedding; None where nothing embeds, so that nobody has to wait for it.
    """
    signals = [known[name] for name in sorted(names) if name in known]
    last = [signal for signal in signals if signal.reads_embedding and embedding is not None]
    first = [signal for signal in signals if signal not in last]
    return Wanted(
        here=tuple(signal for signal in first if not signal.blocking),
        in_threads=tuple(signal for signal in first if signal.blocking),
        here_last=tuple(signal for signal in last if not signal.blocking),
        in_threads_last=tuple(signal for signal in last if signal.blocking),
        embedding=embedding in names or bool(last),
        now=not any(signal.blocking for signal in signals),
    )

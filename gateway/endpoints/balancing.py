"""Which of a model's endpoints is asked first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from gateway.endpoints.endpoint import Condition, Endpoint

#: `latency`: the less busy and faster of two drawn at random (Mitzenmacher, The power of two choices in randomized
#: load balancing, 2001; Finagle's peak EWMA). `outstanding`: who has the fewest requests. `weighted`: at random.
Balance = Literal["latency", "outstanding", "weighted"]


def in_order(
    endpoints: Sequence[Endpoint], condition: Callable[[str], Condition], balance: Balance, now: float, rng: Random
) -> list[Endpoint]:
    """Return the endpoints in the order in which they are asked: one is asked, the others stand by."""
    if len(endpoints) < 2:
        return list(endpoints)
    by_chance = _drawn(endpoints, rng)
    if balance == "weighted":
        return by_chance
    if balance == "outstanding":
        return sorted(by_chance, key=lambda one: (condition(one.name).gate.in_flight + 1) / one.weight)
    load = _load(condition, now)
    pair, others = by_chance[:2], by_chance[2:]
    return sorted(pair, key=load) + sorted(others, key=load)


def _drawn(endpoints: Sequence[Endpoint], rng: Random) -> list[Endpoint]:
    """Return the endpoints as drawn one after the other, each with a probability by its weight.

    Efraimidis and Spirakis, Weighted random sampling with a reservoir, 2006.
    """
    return sorted(endpoints, key=lambda one: rng.random() ** (1 / one.weight), reverse=True)


def _load(condition: Callable[[str], Condition], now: float) -> Callable[[Endpoint], float]:
    return lambda one: condition(one.name).load(now, one.weight)

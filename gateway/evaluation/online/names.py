"""Which routers are replayed as bandits, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.evaluation.names import ALL, COMPOSITE, GREEDY, Named, named_routers
from routers.observations import Summing
from routers.registry import components, describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gateway.config.files import Files

#: What an estimator is combined with: one that takes nothing but what looks best never learns of the rest.
EXPLORING: Final = {"type": "epsilon", "floor": 0}


def online_routers(names: Sequence[str], files: Files | None, environment: Mapping[str, str]) -> list[Named]:
    """Return what the names stand for, each once, in their order.

    A name is as `named_routers` takes it, but that of a router comes before that of an estimator, and an estimator is
    combined with a rule that explores; `all` is every router that learns by sums and needs no option. Raises
    `EvaluationError` and `ConfigError`.
    """
    plain = [one for name in names for one in (_all() if name == ALL else [name])]
    return [one for name in dict.fromkeys(plain) for one in _named(name, files, environment)]


def _all() -> Iterator[str]:
    for name, options in describe("router").items():
        if not any(option.required for option in options) and isinstance(Named(name, {"type": name}).build(), Summing):
            yield name


def _named(name: str, files: Files | None, environment: Mapping[str, str]) -> list[Named]:
    if name in components("router") and name != COMPOSITE:
        return [Named(name, {"type": name})]
    found = named_routers([name], files, environment)
    if name not in components("estimator"):
        return found
    return [Named(one.name, {**one.spec, "rule": EXPLORING}) for one in found if one.spec["rule"] == GREEDY]

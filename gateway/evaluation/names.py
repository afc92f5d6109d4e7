"""What may be evaluated by its name: an estimator, a router, a policy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.config.loader import did_you_mean, load
from gateway.config.policy_models import PolicyConfig
from gateway.config.validate import validate
from gateway.evaluation.problem import EvaluationError
from routers.options import ComponentError
from routers.registry import build_router, components, describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gateway.config.files import Files
    from routers.options import Kind
    from routers.types import Router

#: Stands for every estimator and every router that needs no option.
ALL = "all"
#: What an estimator is combined with: no chance, and costs that are learned as it is.
GREEDY = {"type": "greedy", "floor": 0}
LEARNED_COSTS = "regression"
#: A router that is made of others; by itself it is none.
COMPOSITE = "estimating"


@dataclass(frozen=True, slots=True)
class Named:
    """A router as a report calls it, and the specification that it is built from."""

    name: str
    spec: Mapping[str, Any]

    def build(self) -> Router:
        """Build the router, which has learned nothing. Raises `EvaluationError`."""
        try:
            return build_router(self.spec)
        except ComponentError as error:
            raise EvaluationError(f"--router: {self.name!r}: {error}") from error


def named_routers(names: Sequence[str], files: Files | None, environment: Mapping[str, str]) -> list[Named]:
    """Return what the names stand for, each once, in their order.

    A name is an estimator's (combined with the greedy rule and learned costs), a router's, that of a policy of
    `files`, the path of a policy's YAML file, or `all`. Raises `EvaluationError`, and `ConfigError` for a policy
    that cannot be read.
    """
    found = [one for name in names for one in _resolved(name, files, environment)]
    unique = {one.name: one for one in found}
    for one in found:
        if unique[one.name].spec != one.spec:
            raise EvaluationError(
                f"--router: two different routers are called {one.name!r}; rename one of the policies"
            )
    return list(unique.values())


def seeded(spec: Mapping[str, Any], seed: int, kind: Kind = "router") -> dict[str, Any]:
    """Return the specification with every `seed` of its components set; unchanged where they have none."""
    options = {option.name: option for option in describe(kind)[spec["type"]]}
    changed = {name: _seeded_part(options[name].kind, value, seed) for name, value in spec.items() if name in options}
    if "seed" in options:
        changed["seed"] = seed
    return {**spec, **changed}


def _seeded_part(kind: Kind | None, value: Any, seed: int) -> Any:
    if kind is None or value is None:
        return value
    return [seeded(one, seed, kind) for one in value] if isinstance(value, list) else seeded(value, seed, kind)


def _resolved(name: str, files: Files | None, environment: Mapping[str, str]) -> Iterator[Named]:
    policies = {policy.config.name: policy.config.router for policy in files.policies} if files else {}
    if name == ALL:
        yield from _everything()
    elif name in components("estimator"):
        yield _estimating(name)
    elif name in components("router"):
        yield Named(name, {"type": name})
    elif name in policies:
        yield Named(name, policies[name])
    elif name.endswith((".yaml", ".yml")):
        policy = validate(load(Path(name), environment), PolicyConfig)
        yield Named(policy.name, policy.router)
    else:
        known = {ALL, *components("estimator"), *components("router"), *policies} - {COMPOSITE}
        raise EvaluationError(f"--router: no estimator, router or policy {name!r}; {did_you_mean(name, known)}")


def _everything() -> Iterator[Named]:
    for name, options in describe("estimator").items():
        if not any(option.required for option in options):
            yield _estimating(name)
    for name, options in describe("router").items():
        # Of a router that is named after its estimator, what it estimates is evaluated already.
        if name not in components("estimator") and not any(option.required for option in options):
            yield Named(name, {"type": name})


def _estimating(name: str) -> Named:
    costs = {"costs": {"type": LEARNED_COSTS}} if LEARNED_COSTS in components("costs") else {}
    return Named(name, {"type": COMPOSITE, "estimator": {"type": name}, "rule": GREEDY, **costs})

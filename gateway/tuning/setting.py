"""One way to set the options of an estimator, and how to come by those that are to be tried."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any

import yaml

from gateway.config.loader import did_you_mean
from gateway.evaluation.names import ALL, COMPOSITE, GREEDY, LEARNED_COSTS
from gateway.evaluation.problem import EvaluationError
from gateway.tuning.space import GRIDS
from routers.options import ComponentError, options_of
from routers.registry import build_router, component, components

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from routers.types import Router

    Grid = Mapping[str, Sequence[Any]]

#: Stands for every estimator that is tuned, where values are given for an option.
EVERY = "estimator"


@dataclass(frozen=True, slots=True)
class Setting:
    """An estimator and its options. `rank` orders settings: the simpler, the lower."""

    estimator: str
    options: Mapping[str, Any]
    rank: tuple[int, ...]

    @property
    def parts(self) -> dict[str, Any]:
        """Return the specification of the router, without a rule: costs are learned, as rewards are."""
        return {
            "type": COMPOSITE,
            "estimator": {"type": self.estimator, **self.options},
            "costs": {"type": LEARNED_COSTS},
        }

    @property
    def spec(self) -> dict[str, Any]:
        """Return the specification of the router that is judged: it leaves nothing to chance."""
        return {**self.parts, "rule": GREEDY}

    @property
    def label(self) -> str:
        """Return it as one line of YAML."""
        return flow({"type": self.estimator, **self.options})

    def build(self) -> Router:
        """Build the router, which has learned nothing. Raises `EvaluationError`."""
        try:
            return build_router(self.spec)
        except ComponentError as error:
            raise EvaluationError(f"--try: {self.label}: {error}") from error


@dataclass(frozen=True, slots=True)
class Try:
    """Values that the user wants tried for an option of an estimator, or of `EVERY` one that has it."""

    estimator: str
    option: str
    values: tuple[Any, ...]

    @classmethod
    def parse(cls, text: str) -> Try:
        """Read `NAME.OPTION=VALUE,VALUE`, the values being YAML. Raises `EvaluationError`."""
        where, _, written = text.partition("=")
        estimator, _, option = where.strip().partition(".")
        try:
            values = yaml.safe_load(f"[{written}]")
        except yaml.YAMLError as error:
            raise EvaluationError(f"--try: {text!r}: the values are no YAML; write NAME.OPTION=1,2,3") from error
        if not (estimator and option and values):
            raise EvaluationError(
                f"--try: {text!r} must have the form NAME.OPTION=VALUE,VALUE, as knn.neighbours=40,80"
            )
        return cls(estimator, option, tuple(values))


def settings_of(names: Sequence[str], tries: Sequence[Try], most: int | None = None, seed: int = 0) -> list[Setting]:
    """Return the settings to try of the estimators named (`all`: each that can be), the simplest first.

    `tries` replace or extend the grids. Of more than `most` settings so many are drawn, an estimator as often as
    the next. Raises `EvaluationError` for unknown names, options and values.
    """
    estimators = _estimators(names)
    grids = {name: _grid(name, tries) for name in estimators}
    for one in tries:
        _check(one, estimators)
    by_estimator = {name: list(_combined(place, name, grids[name])) for place, name in enumerate(estimators)}
    found = sorted((one for settings in by_estimator.values() for one in settings), key=lambda one: one.rank)
    for setting in found:
        setting.build()
    if most is None or len(found) <= most:
        return found
    if most < len(estimators):
        raise EvaluationError(f"--budget-trials: {most} is less than one for each of {len(estimators)} routers")
    return sorted(_drawn(by_estimator, most, Random(seed)), key=lambda one: one.rank)  # noqa: S311 - no secret


def flow(value: Any) -> str:
    """Return a mapping or a list as YAML on one line."""
    return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=float("inf")).strip()


def _estimators(names: Sequence[str]) -> list[str]:
    """Return the estimators named, each once, the simplest first; those without a grid come last."""
    known = components("estimator")
    order = [*GRIDS, *sorted(known.keys() - GRIDS.keys())]
    chosen: set[str] = set()
    for name in names:
        if name != ALL and name not in known:
            raise EvaluationError(f"--router: no estimator {name!r}; {did_you_mean(name, {ALL, *known})}")
        chosen |= {one for one in order if _is_ready(one)} if name == ALL else {name}
    return [name for name in order if name in chosen]


def _options(name: str) -> dict[str, bool]:
    """Return the options of an estimator, and whether each is required."""
    return {option.name: option.required for option in options_of(component("estimator", name))}


def _is_ready(name: str) -> bool:
    """Tell whether an estimator can be built from its grid alone."""
    return all(option in GRIDS.get(name, {}) for option, is_required in _options(name).items() if is_required)


def _grid(name: str, tries: Sequence[Try]) -> Grid:
    """Return an estimator's grid with the values that the user gave."""
    options = set(_options(name))
    grid = dict(GRIDS.get(name, {}))
    for one in tries:
        if one.estimator == name or (one.estimator == EVERY and one.option in options):
            grid[one.option] = _ordered(one.values, grid.get(one.option, ()))
    return grid


def _ordered(values: tuple[Any, ...], usual: Sequence[Any]) -> Sequence[Any]:
    """Return numbers in the order that the grid has them in: people write them as they rise, whichever is simpler."""
    numbers = [value for value in usual if value is not None]
    if len(numbers) < 2 or not all(type(value) in {int, float} for value in (*values, *numbers)):
        return values
    return sorted(values, reverse=numbers[0] > numbers[-1])


def _check(one: Try, estimators: Sequence[str]) -> None:
    if one.estimator not in {EVERY, *estimators}:
        hint = did_you_mean(one.estimator, {EVERY, *estimators})
        raise EvaluationError(f"--try: {one.estimator!r} is not tuned; {hint}")
    named = estimators if one.estimator == EVERY else [one.estimator]
    options = {option for name in named for option in _options(name)}
    if one.option not in options:
        raise EvaluationError(
            f"--try: {one.estimator!r} has no option {one.option!r}; {did_you_mean(one.option, options)}"
        )


def _combined(place: int, name: str, grid: Grid) -> Iterator[Setting]:
    """Yield every combination of a grid's values; its rank counts the steps away from the simplest."""
    for steps in product(*(range(len(values)) for values in grid.values())):
        options = {option: values[step] for (option, values), step in zip(grid.items(), steps, strict=True)}
        yield Setting(name, options, (place, sum(steps), *steps))


def _drawn(by_estimator: Mapping[str, list[Setting]], most: int, rng: Random) -> list[Setting]:
    left = [rng.sample(settings, len(settings)) for settings in by_estimator.values()]
    found: list[Setting] = []
    while len(found) < most:
        found += [settings.pop() for settings in left if settings]
    return found[:most]

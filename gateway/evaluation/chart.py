"""What a cost-quality chart shows of one table: models, curves, and the mixture at each setting of the dial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Kind = Literal["router", "zero", "oracle", "task_oracle", "random"]

#: What is drawn beside the routers, from the back to the front, and what it is called.
REFERENCES: tuple[tuple[Kind, str], ...] = (
    ("zero", "zero router (mixtures of models)"),
    ("oracle", "oracle"),
    ("task_oracle", "told the task"),
    ("random", "random"),
)
THOUSAND = 1000


@dataclass(frozen=True, slots=True)
class Model:
    """A single model: mean quality, and what a thousand prompts cost in USD."""

    name: str
    cost: float
    quality: float


@dataclass(frozen=True, slots=True)
class Point:
    """A curve at one setting of the dial (None: it has none); `shares` sum to one over models."""

    weight: float | None
    cost: float
    quality: float
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Series:
    """A curve: its measured points by rising cost, and its hull's corners. Costs are for a thousand prompts."""

    name: str
    kind: Kind
    points: tuple[Point, ...]
    hull: tuple[tuple[float, float], ...]
    aiq: float | None


@dataclass(frozen=True, slots=True)
class Chart:
    """A table's models by rising cost, its routers by falling AIQ, and what they are held against."""

    table: str
    models: tuple[Model, ...]
    routers: tuple[Series, ...]
    references: tuple[Series, ...]

    def places(self) -> Iterator[tuple[float, float]]:
        """Yield (cost, quality) of all that has to fit in."""
        yield from ((model.cost, model.quality) for model in self.models)
        for series in (*self.routers, *self.references):
            yield from ((point.cost, point.quality) for point in series.points)
            yield from series.hull


def read_chart(document: Mapping[str, Any], table: str) -> Chart:
    """Return what is to be drawn of a table of a report. Raises `LookupError` where it is not in the report."""
    found = [one for one in document["tables"] if one["name"] == table]
    if not found:
        raise LookupError(f"no table {table!r} in the report, which has {[one['name'] for one in document['tables']]}")
    routers = [_series(one, "router", one["router"]) for one in document["routers"] if one["table"] == table]
    return Chart(
        table,
        tuple(sorted(_models(found[0]["models"]), key=lambda model: (model.cost, model.name))),
        tuple(sorted(routers, key=lambda series: -_known(series.aiq))),
        tuple(_references(document["references"], table)),
    )


def _models(entries: Sequence[Mapping[str, Any]]) -> Iterator[Model]:
    for entry in entries:
        if entry["cost_usd"] is not None and entry["quality"] is not None:
            yield Model(entry["model"], entry["cost_usd"] * THOUSAND, entry["quality"])


def _references(entries: Sequence[Mapping[str, Any]], table: str) -> Iterator[Series]:
    named = {entry["router"]: entry for entry in entries if entry["table"] == table}
    for kind, label in REFERENCES:
        if kind in named:
            yield _series(named[kind], kind, label)


def _series(entry: Mapping[str, Any], kind: Kind, label: str) -> Series:
    points = [
        Point(point["quality_weight"], point["cost_usd"] * THOUSAND, point["quality"], _shares(point))
        for point in entry["points"] or ()
        if point["cost_usd"] is not None and point["quality"] is not None
    ]
    corners = tuple((cost * THOUSAND, quality) for cost, quality in entry["hull"] or () if None not in (cost, quality))
    return Series(label, kind, tuple(sorted(points, key=lambda point: point.cost)), corners, entry["aiq"])


def _shares(point: Mapping[str, Any]) -> dict[str, float]:
    return {model: share for model, share in (point["shares"] or {}).items() if share}


def _known(aiq: float | None) -> float:
    return float("-inf") if aiq is None else aiq

"""What is required of a policy, as one writes it: `cost<-10% and quality>-0.5%`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from gateway.config.loader import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What may be required something of, in the order of the report.
QUANTITIES: Final = ("quality", "cost", "latency", "errors")
#: What a bound is of: a change relative to what it is compared with, one in hundredths, or the value itself.
Scale = Literal["relative", "points", "value"]
SCALES: Final[Mapping[str, Scale]] = {"%": "relative", "pt": "points", "points": "points", "": "value"}
#: Only shares have hundredths.
WITH_POINTS: Final = frozenset({"quality", "errors"})

_JOINED = re.compile(r"\s+and\s+", re.IGNORECASE)
_CLAUSE = re.compile(
    r"(?P<quantity>[A-Za-z_]+)\s*(?P<sign><=|>=|<|>)\s*(?P<bound>[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(?P<unit>[^\s\d]*)"
)
_EXAMPLE = "write for example 'cost<-10% and quality>-0.5%'"


@dataclass(frozen=True, slots=True)
class Clause:
    """One bound: `sign` is `<`, `<=`, `>` or `>=`; `bound` is a share for `relative` and `points` (-10% is -0.1)."""

    quantity: str
    sign: str
    bound: float
    scale: Scale

    def holds(self, interval: tuple[float, float]) -> bool:
        """Tell whether it holds with confidence: the end of the interval that is worse for it satisfies it."""
        low, high = interval
        return {
            "<": high < self.bound,
            "<=": high <= self.bound,
            ">": low > self.bound,
            ">=": low >= self.bound,
        }[self.sign]

    def fails(self, interval: tuple[float, float]) -> bool:
        """Tell whether it is broken with confidence: not even the better end satisfies it."""
        low, high = interval
        return not self.holds((low, low)) and not self.holds((high, high))

    def __str__(self) -> str:
        unit = {"relative": "%", "points": "pt", "value": ""}[self.scale]
        bound = self.bound * 100 if unit else self.bound
        return f"{self.quantity}{self.sign}{bound:.12g}{unit}"


def parse_requirement(text: str) -> tuple[Clause, ...]:
    """Return the clauses of a requirement.

    >>> [str(clause) for clause in parse_requirement("cost < -10% and quality>=-0.5pt and latency<2")]
    ['cost<-10%', 'quality>=-0.5pt', 'latency<2']

    Raises `ConfigError` for what is none.
    """
    if not text.strip():
        raise ConfigError(f"--require: there is nothing in it; {_EXAMPLE}")
    return tuple(_clause(part) for part in _JOINED.split(text.strip()))


def _clause(text: str) -> Clause:
    found = _CLAUSE.fullmatch(text.strip())
    if found is None:
        raise ConfigError(f"--require: {text.strip()!r} is no bound; {_EXAMPLE}")
    quantity = found["quantity"].lower()
    if quantity not in QUANTITIES:
        raise ConfigError(f"--require: nothing is known of {quantity!r}; {did_you_mean(quantity, QUANTITIES)}")
    scale = SCALES.get(found["unit"].lower())
    if scale is None:
        units = "% (relative), pt (points), or none (the value itself)"
        raise ConfigError(f"--require: {text.strip()!r}: {found['unit']!r} is no unit; take {units}")
    if scale == "points" and quantity not in WITH_POINTS:
        raise ConfigError(f"--require: {text.strip()!r}: {quantity} has no points; take % or none")
    bound = float(found["bound"])
    return Clause(quantity, found["sign"], bound if scale == "value" else bound / 100, scale)

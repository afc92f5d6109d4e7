"""Data classes: which models may see a request, whatever else speaks for them.

A request has the highest class that any source gives it: a floor, its header, its caller, its policy, and the
personal data found in it. A model may see a request up to its clearance. What is not known counts as the worst that it
could be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gateway.signals.pii.finding import KINDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from routers.types import Feature

#: From what anyone may see to what next to nobody may.
DEFAULT_CLASSES: Final = ("public", "internal", "confidential", "restricted")


@dataclass(frozen=True, slots=True)
class DataClasses:
    """The classes from open to closed. Raises `ValueError` for none, an empty name, and one that comes twice."""

    names: tuple[str, ...] = DEFAULT_CLASSES

    def __post_init__(self) -> None:
        if not self.names or "" in self.names or len(set(self.names)) < len(self.names):
            raise ValueError(f"data classes are {self.names}; give at least one name, each once")

    @property
    def lowest(self) -> str:
        """Return the class of what anyone may see."""
        return self.names[0]

    def rank(self, name: str) -> int:
        """Return a class's place, 0 for the most open. Raises `ValueError` for a name that is none."""
        if name not in self.names:
            raise ValueError(f"data class {name!r} is unknown; there are {', '.join(self.names)}")
        return self.names.index(name)

    def highest(self, names: Iterable[str]) -> str:
        """Return the most closed of some classes, the lowest of all where there are none."""
        return max(names, key=self.rank, default=self.lowest)

    def permits(self, clearance: str | None, data_class: str) -> bool:
        """Tell whether a model may see a class. Its clearance is the highest it may; without one, the lowest of all."""
        return self.rank(data_class) <= self.rank(self.lowest if clearance is None else clearance)


@dataclass(frozen=True, slots=True)
class DataClassRules:
    """What gives a request its class.

    `by_pii` gives the class by kind of personal data; a kind without one raises nothing. `unread` is the class of a
    request with images, audio or files; None for the highest of `by_pii`, for nobody knows what they show. `floor` is
    the class of every request; None for the lowest.
    Raises `ValueError` for a class or a kind that there is not.
    """

    classes: DataClasses = field(default_factory=DataClasses)
    by_pii: Mapping[str, str] = field(default_factory=dict)
    unread: str | None = None
    floor: str | None = None

    def __post_init__(self) -> None:
        for name in (*self.by_pii.values(), self.unread, self.floor):
            if name is not None:
                self.classes.rank(name)
        if unknown := sorted(set(self.by_pii) - set(KINDS)):
            raise ValueError(f"kind of personal data {unknown[0]!r} is unknown; there are {', '.join(KINDS)}")

    @property
    def reads_pii(self) -> bool:
        """Tell whether the signal `pii` decides anything."""
        return bool(self.by_pii) or self.unread is not None

    @property
    def worst(self) -> str:
        """Return the highest class that personal data could give."""
        return self.classes.highest(self.by_pii.values())


@dataclass(frozen=True, slots=True)
class Classified:
    """A request's class, and which sources gave it."""

    name: str
    reasons: tuple[str, ...]


def classify(rules: DataClassRules, claims: Collection[str], features: Mapping[str, Feature]) -> Classified:
    """Return the highest class of all sources: each can raise it and none can lower it.

    `claims` are the classes that the request's header, its caller and its policy name. `features` are the signals'.
    Raises `ValueError` for a claim of a class that there is not: in a header, that is the caller's mistake.
    """
    given = [("claimed", name) for name in claims]
    given += [("floor", rules.floor or rules.classes.lowest), *_by_pii(rules, features)]
    highest = rules.classes.highest(name for _, name in given)
    reasons = dict.fromkeys(source for source, name in given if name == highest)
    return Classified(highest, tuple(reasons))


def _by_pii(rules: DataClassRules, features: Mapping[str, Feature]) -> Iterator[tuple[str, str]]:
    if not rules.reads_pii:
        return
    kinds, unread, truncated = (features.get(name) for name in ("pii", "pii.unread", "pii.truncated"))
    if not isinstance(kinds, tuple) or not isinstance(unread, tuple):
        yield (
            "pii: not known, so as if all was found",
            rules.classes.highest([rules.worst, rules.unread or rules.worst]),
        )
        return
    yield from ((f"pii: {kind}", rules.by_pii[kind]) for kind in kinds if kind in rules.by_pii)
    if truncated is not False:
        yield "pii: not all of the text was read", rules.worst
    if unread:
        yield f"pii: {', '.join(unread)} not read", rules.unread or rules.worst

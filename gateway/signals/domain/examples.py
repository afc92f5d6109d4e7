"""What a user writes of his classes: their names, examples and descriptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The name that a request gets which belongs to no class.
OTHER = "other"
#: More examples than this add time to every request, and hardly any accuracy.
MAX_EXAMPLES = 1000


class DomainError(ValueError):
    """Classes that cannot be told apart; the message names the class and the remedy."""


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes, in the order of their names, whatever order they were written in.

    `texts` are the examples and `descriptions` the descriptions, one entry a class; a class has at least one of
    them. Raises `DomainError` where they cannot be told apart.
    """

    names: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    descriptions: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if not len(self.names) == len(self.texts) == len(self.descriptions):
            raise DomainError("names, texts and descriptions must have one entry for each class")
        if len(self.names) < 2:
            raise DomainError(f"a domain needs two classes at least, not {list(self.names)}: add one")
        if tuple(sorted(set(self.names))) != self.names:
            raise DomainError(f"class names must be sorted and each used once, not {list(self.names)}")
        for name, texts, description in zip(self.names, self.texts, self.descriptions, strict=True):
            _check_class(name, texts, description)
        _check_apart(self.names, self.texts)

    @classmethod
    def of(cls, examples: Mapping[str, Sequence[str]], descriptions: Mapping[str, str] | None = None) -> Classes:
        """Return the classes of two mappings by class name; a class may be in either or in both.

        An example that a class has twice counts once. Raises `DomainError` as the class does.
        """
        written = descriptions or {}
        names = tuple(sorted({*examples, *written}))
        return cls(
            names=names,
            texts=tuple(tuple(sorted(set(examples.get(name, ())))) for name in names),
            descriptions=tuple(written.get(name, "").strip() for name in names),
        )

    @property
    def spoken(self) -> tuple[str, ...]:
        """Return the names as words."""
        return tuple(" ".join(name.replace("_", " ").replace("-", " ").split()) for name in self.names)


def _check_class(name: str, texts: Sequence[str], description: str) -> None:
    if not name.strip():
        raise DomainError("a class has an empty name: give it one")
    if name == OTHER:
        raise DomainError(f"the class name {OTHER!r} is kept for requests that belong to no class: choose another")
    if not texts and not description:
        raise DomainError(f"class {name!r} has neither examples nor a description: give it one of them")
    if any(not text.strip() for text in texts):
        raise DomainError(f"class {name!r} has an empty example: remove it")
    if len(texts) > MAX_EXAMPLES:
        raise DomainError(f"class {name!r} has {len(texts)} examples: keep the {MAX_EXAMPLES} that differ most")


def _check_apart(names: Sequence[str], texts: Sequence[Sequence[str]]) -> None:
    owner: dict[str, str] = {}
    for name, examples in zip(names, texts, strict=True):
        for text in examples:
            if (other := owner.setdefault(" ".join(text.lower().split()), name)) != name:
                raise DomainError(f"{text!r} is an example of both {other!r} and {name!r}: keep it in one of them")

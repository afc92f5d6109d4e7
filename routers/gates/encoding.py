"""Gives an encoder to the gates of a router that compare texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routers.gates.similarity import Similarity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: The attributes under which components hold others, singly or several.
PARTS = ("router", "gate", "gates")


def comparing(component: object) -> Sequence[Similarity]:
    """Return the gates within a component, itself included, that compare texts.

    >>> from routers.gates.combined import AllOf
    >>> len(comparing(AllOf([Similarity(), Similarity()])))
    2
    """
    return tuple(_walk(component))


def _walk(component: object) -> Iterator[Similarity]:
    if isinstance(component, Similarity):
        yield component
    for part in PARTS:
        inner = getattr(component, part, None)
        for one in inner if isinstance(inner, tuple | list) else (inner,):
            if one is not None:
                yield from _walk(one)

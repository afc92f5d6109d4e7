"""What a classifier is fitted to: examples, their copies, and descriptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gateway.signals.domain.examples import Classes

#: How far an example, and a description, may be from what a class is.
EXAMPLE_NOISE, DESCRIPTION_NOISE = 0.05, 0.3
#: A class with fewer examples than this has each of them twice: as it is, and after the class's name.
NAMED_BELOW = 20


@dataclass(frozen=True, slots=True)
class Row:
    """A text of a class (its place in the order of names). `example` numbers the example that it is, or copies."""

    text: str
    place: int
    noise: float
    example: int | None = None


def rows_of(classes: Classes) -> list[Row]:
    """Return the examples first, then the copies, then the descriptions."""
    examples = _examples(classes)
    copies = [
        Row(f"{classes.spoken[row.place]}: {row.text}", row.place, row.noise, row.example)
        for row in examples
        if len(classes.texts[row.place]) < NAMED_BELOW
    ]
    described = enumerate(classes.descriptions)
    return examples + copies + [Row(text, place, DESCRIPTION_NOISE) for place, text in described if text]


def _examples(classes: Classes) -> list[Row]:
    written = [(text, place) for place, texts in enumerate(classes.texts) for text in texts]
    sizes = [len(texts) for texts in classes.texts]
    mean = float(np.mean([size for size in sizes if size] or [1]))
    # A class with many examples must not outweigh one with few.
    return [
        Row(text, place, EXAMPLE_NOISE * sizes[place] / mean, number) for number, (text, place) in enumerate(written)
    ]

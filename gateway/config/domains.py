"""Opens the signal `domain`: its classes as written, or the built-in ones."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

from gateway.signals.domain import Classes, DomainError, DomainSignal, fit
from gateway.signals.domain.classifier import AUTOMATIC_THRESHOLD
from gateway.signals.domains import built_in
from gateway.signals.domains.vectors import shipped_vectors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.config.files import Files
    from gateway.signals.recall import Recall


def open_domain(files: Files, recall: Recall) -> DomainSignal:
    """Return the signal, its classifier fitted. It encodes every example: not for an event loop.

    Raises `ValueError` where the classes cannot be told apart, and `OSError` where the file of examples cannot be read.
    """
    settings = files.config.signals.domain
    classes = _built_in(recall) if settings.classes is None and settings.examples is None else written_classes(files)
    threshold = AUTOMATIC_THRESHOLD if settings.threshold is None else settings.threshold
    return DomainSignal(fit(classes, recall.encode, threshold=threshold))


def written_classes(files: Files) -> Classes:
    """Return the classes that the configuration names. Raises `DomainError` and `OSError`."""
    settings = files.config.signals.domain
    written = settings.classes or {}
    examples = {name: list(one.examples) for name, one in written.items()}
    if (path := files.domain_examples) is not None:
        for text, domain in read_examples(path):
            examples.setdefault(domain, []).append(text)
    return Classes.of(examples, {name: one.description for name, one in written.items() if one.description})


def read_examples(path: Path) -> Iterator[tuple[str, str]]:
    """Yield text and domain of each line. Raises `DomainError` for a line that lacks one, `OSError` for the file."""
    content = path.read_text(encoding="utf-8")
    lines = csv.DictReader(content.splitlines()) if path.suffix == ".csv" else map(_parsed, content.splitlines())
    for number, line in enumerate(lines, 1):
        text, domain = line.get("text"), line.get("domain")
        if not isinstance(text, str) or not isinstance(domain, str):
            raise DomainError(f"{path}: example {number} needs a `text` and a `domain`")
        yield text, domain


def _parsed(line: str) -> dict[str, object]:
    try:
        row = json.loads(line)
    except ValueError:
        return {}
    return row if isinstance(row, dict) else {}


def _built_in(recall: Recall) -> Classes:
    descriptions, examples = built_in()
    texts = [text for name in sorted(examples) for text in examples[name]]
    vectors = shipped_vectors(texts, recall.encoder.digest)
    if vectors is not None:
        recall.learn(texts, vectors)
    return Classes.of(examples, descriptions)

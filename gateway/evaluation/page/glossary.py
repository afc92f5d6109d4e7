"""What the numbers of a report mean, in a line each."""

from __future__ import annotations

from gateway.evaluation.page.markup import Markup, tag
from gateway.evaluation.page.metrics import METRICS

PAGE = "docs/evaluation.md"
#: What a report speaks of that is no column: term, meaning, heading of the page.
TERMS = (
    (
        "Zero router",
        "Mixtures of single models, chosen with hindsight and blind to the prompt: the bar to beat.",
        "references",
    ),
    ("Told the task", "A router given each prompt's true task, and each model's mean on it.", "references"),
    ("Oracle", "The best model for each prompt, the cheapest of equals. It cannot be reached.", "references"),
    (
        "Interval",
        "95 % by resampling prompts. “No difference” means that the interval of a difference has zero in it.",
        "intervals-and-differences",
    ),
    ("Quality weight", "The dial: 0 takes the cheapest model, 1 the best whatever it costs.", "points-and-hull"),
    (
        "APGR",
        "Mean share of the gap between a weak and a strong model that is closed; an even draw has 0.5.",
        "a-strong-and-a-weak-model",
    ),
    (
        "CPT(50 %)",
        "Share of prompts that the strong model has to answer for half of that gap to be closed.",
        "a-strong-and-a-weak-model",
    ),
)


def glossary() -> Markup:
    """Return every term with its meaning, and where docs/evaluation.md says more."""
    rows = [(metric.label, metric.meaning, metric.anchor) for metric in METRICS] + list(TERMS)
    return tag("dl", *(_row(*row) for row in rows), class_="glossary")


def _row(term: str, meaning: str, anchor: str) -> Markup:
    return tag("div", tag("dt", term), tag("dd", meaning, " ", tag("code", f"{PAGE}#{anchor}")))

"""What a table is: its rows, folds, models and tasks; and routers that choose between two models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.evaluation.page.markup import Markup, named, table, tag
from gateway.evaluation.page.numbers import count, dollars, fixed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Entry = Mapping[str, Any]


def facts(entry: Entry) -> Markup:
    """Return where a table comes from, and what of it was used."""
    pairs = [
        ("File", tag("code", named(entry["path"]))),
        ("SHA-256", tag("code", entry["sha256"], class_="digest")),
        ("Learned from", f"{count(entry['n_train'])} prompts of the fold “{entry['train_fold']}”"),
        ("Measured on", f"{count(entry['n_test'])} prompts of the fold “{entry['test_fold']}”"),
        (
            "Left out",
            f"{count(entry['duplicates_removed'])} duplicates, {count(entry['incomplete_removed'])} incomplete",
        ),
    ]
    return tag("dl", *(tag("div", tag("dt", term), tag("dd", text)) for term, text in pairs), class_="facts")


def models(entry: Entry) -> Markup:
    """Return the single models, each used always, by falling quality."""
    ordered = sorted(entry["models"], key=lambda one: -1.0 if one["quality"] is None else one["quality"], reverse=True)
    head = _head("Model", "Quality", "Quality in training fold", "Cost of 1,000 prompts")
    rows = [
        tag(
            "tr",
            tag("th", named(one["model"]), scope="row"),
            tag("td", fixed(one["quality"]), data_value=one["quality"]),
            tag("td", fixed(one["quality_train"]), data_value=one["quality_train"]),
            tag("td", dollars(one["cost_usd"]), data_value=one["cost_usd"]),
        )
        for one in ordered
    ]
    return table(head, rows, label="Single models", class_="sortable")


def tasks(entry: Entry) -> Markup:
    """Return how many prompts each task has in the measured fold."""
    rows = [
        tag("tr", tag("th", named(task), scope="row"), tag("td", count(number), data_value=number))
        for task, number in entry["tasks"].items()
    ]
    return table(_head("Task", "Prompts"), rows, label="Tasks", class_="sortable")


def pairs(entries: Sequence[Entry]) -> Markup:
    """Return how routers choose between a strong and a weak model."""
    head = _head("Router", "Strong", "Weak", "APGR", "CPT(50 %)", "CPT(80 %)")
    rows = [
        tag(
            "tr",
            tag("th", named(one["router"]), scope="row"),
            tag("td", named(one["strong"]), class_="text"),
            tag("td", named(one["weak"]), class_="text"),
            *(tag("td", fixed(one[key]), data_value=one[key]) for key in ("apgr", "cpt50", "cpt80")),
        )
        for one in entries
    ]
    return table(head, rows, label="Strong and weak", class_="sortable")


def _head(*texts: str) -> Markup:
    return tag("tr", *(tag("th", text, scope="col") for text in texts))

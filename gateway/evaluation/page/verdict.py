"""What a report says of a table, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.evaluation.page.markup import Markup, join, named, tag
from gateway.evaluation.page.numbers import UNKNOWN, dollars, fixed, span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Entry = Mapping[str, Any]

#: The router that is spoken of where a table has it; else the one of highest AIQ is.
RECOMMENDED = "recommended"
PHRASES = {"better": "better than", "worse": "worse than", "no difference": "no difference from"}
#: Not in the sentence: nothing beats the oracle, and the best single model comes first anyway.
UNSPOKEN = frozenset({"oracle", "best_single"})
#: In the sentence only where they are not beaten.
EXPECTED = frozenset({"random", "cheapest"})


def headline(routers: Sequence[Entry]) -> Entry | None:
    """Return the router that the verdict is about."""
    for router in routers:
        if router["router"] == RECOMMENDED:
            return router
    return max(routers, key=lambda one: -1.0 if one["aiq"] is None else one["aiq"], default=None)


def reference(references: Sequence[Entry], name: str) -> Entry | None:
    """Return what routers are held against, by name."""
    return next((one for one in references if one["router"] == name), None)


def only_model(entry: Entry | None) -> str | None:
    """Return the model that answers everything, if one does."""
    if entry is None or not entry["points"]:
        return None
    shares = entry["points"][0]["shares"] or {}
    return next((model for model, share in shares.items() if share == 1), None)


def called(name: str, references: Sequence[Entry]) -> Markup:
    """Return a reference as a reader would call it."""
    if name in {"best_single", "cheapest"}:
        model = only_model(reference(references, name))
        words = "the best single model" if name == "best_single" else "the cheapest model"
        return join(["always ", named(model)]) if model else Markup(words)
    plain = {
        "zero": "the zero router",
        "task_oracle": "being told the task",
        "random": "random choice",
        "oracle": "the oracle",
    }
    if name in plain:
        return Markup(plain[name])
    return join(["always ", named(name.removeprefix("single:"))]) if name.startswith("single:") else named(name)


def short(name: str, references: Sequence[Entry]) -> Markup:
    """Return a reference as a table calls it."""
    titles = {"zero": "zero router", "task_oracle": "told the task"}
    return Markup(titles[name]) if name in titles else called(name, references)


def verdict(routers: Sequence[Entry], references: Sequence[Entry]) -> Markup:
    """Return the sentence about one table, and the three numbers that it rests on."""
    router = headline(routers)
    if router is None:
        return tag("p", "No router was evaluated on this table.", class_="verdict")
    sentence = join([tag("strong", named(router["router"])), _choice(router, routers), _matching(router, references)])
    clauses = [sentence, *_comparisons(router, references)]
    return join([tag("p", join(clauses, "; "), ".", class_="verdict"), _figures(router, references)])


def _choice(router: Entry, routers: Sequence[Entry]) -> str:
    """Say that a router was chosen by what is reported of it, where it was."""
    if router["router"] == RECOMMENDED or len(routers) == 1:
        return " "
    return f", of highest AIQ among {len(routers)} routers here, "


def _matching(router: Entry, references: Sequence[Entry]) -> Markup:
    best = called("best_single", references)
    ratio = router["match_cost_ratio"]
    if ratio is not None:
        share = fixed(ratio, 2)
        return join(
            ["answers as well as ", best, " at its full cost" if share == "1.00" else f" at {share} of its cost"]
        )
    return join(["does not answer as well as ", best, " at any cost"])


def _comparisons(router: Entry, references: Sequence[Entry]) -> list[Markup]:
    return [
        join([f"{PHRASES[one['verdict']]} ", called(one["reference"], references)])
        for one in router["differences"] or ()
        if one["metric"] == "aiq" and _is_news(one)
    ]


def _is_news(difference: Entry) -> bool:
    name = difference["reference"]
    return name not in UNSPOKEN and not (name in EXPECTED and difference["verdict"] == "better")


def _figures(router: Entry, references: Sequence[Entry]) -> Markup:
    best, zero = reference(references, "best_single"), reference(references, "zero")
    intervals = router["intervals"] or {}
    ratio = router["match_cost_ratio"]
    quality, aiq = router["max_accuracy"], router["aiq"]
    return tag(
        "dl",
        _figure(
            "Cost of the best model's quality",
            UNKNOWN if ratio is None else f"{fixed(100 * ratio, 0)} %",
            _spent(ratio, best),
        ),
        _figure(
            "Best quality", fixed(quality), _beside(intervals.get("max_accuracy"), "best model", best, "max_accuracy")
        ),
        _figure("AIQ", fixed(aiq), _beside(intervals.get("aiq"), "zero router", zero, "aiq")),
        class_="figures",
    )


def _spent(ratio: float | None, best: Entry | None) -> str:
    if best is None:
        return ""
    spent = dollars(best["cost_at_max_usd"])
    return (
        f"not reached; that model takes {spent} for 1,000 prompts" if ratio is None else f"of {spent} for 1,000 prompts"
    )


def _figure(label: str, number: str, note: str) -> Markup:
    return tag("div", tag("dt", label), tag("dd", tag("b", number), tag("span", note)))


def _beside(interval: Sequence[float | None] | None, label: str, entry: Entry | None, key: str) -> str:
    parts = [span(interval), f"{label} {fixed(entry[key])}" if entry else ""]
    return " · ".join(part for part in parts if part)

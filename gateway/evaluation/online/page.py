"""A replay as bandits as one page that needs nothing else: no network, no other file, and no scripts."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final

from gateway.evaluation.online.curves import courses, key
from gateway.evaluation.online.glossary import MEANING
from gateway.evaluation.online.grid import back
from gateway.evaluation.page.markup import Markup, join, named, table, tag
from gateway.evaluation.page.numbers import UNKNOWN, count, dollars, fixed, signed, span
from gateway.evaluation.page.shell import shell, styled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Entry = Mapping[str, Any]

CURVES: Final = (
    ("best_fixed", "Regret against the best fixed model in hindsight", "Below zero is better than always using it."),
    ("full_information", "Regret against full information", "Against the same router that is told every outcome."),
)
CURVE_NOTE: Final = (
    "Net reward lost up to each request, mean over the seeds and the band in which 95 % of such means are. "
    "Dashed lines are changes."
)
COLUMNS: Final = (
    "Router",
    "Learns by",
    "Net reward",
    "Beyond the best fixed model",
    "Beyond full information",
    "Final policy beyond the best",
    "Told everything",
    "Share of that gain",
)


def page(document: Entry) -> str:
    """Return the page of a replay."""
    sections = [_section(document, one) for one in document["tables"]]
    main = tag("main", *sections, tag("section", _closing(document), id="meaning"))
    title = f"Online routing report, {document['created'][:10]}"
    return shell(title, styled("gateway.evaluation.online"), _header(document), main)


def _header(document: Entry) -> Markup:
    asked = document["settings"]
    parts = [document["created"][:16].replace("T", " "), f"{asked['seeds']} seeds"]
    parts += [f"{asked['warm']:.0%} told beforehand"] if asked["warm"] else []
    parts += [f"feedback {asked['delay']} requests late"] if asked["delay"] else []
    parts += [f"{asked['missing']:.0%} of it missing"] if asked["missing"] else []
    parts += ["prices known"] if asked["known_prices"] else []
    line = join([" · ".join(parts + list(asked["changes"]))])
    return tag("header", tag("h1", "Online routing report"), tag("p", line, class_="quiet"))


def _section(document: Entry, one: Entry) -> Markup:
    entries = [entry for entry in document["routers"] if entry["table"] == one["name"]]
    ranked = sorted(entries, key=lambda entry: -float(entry["net"]["mean"]))
    size = f"{count(one['n_stream'])} prompts as a stream, {count(one['n_kept'])} kept, {len(one['models'])} models"
    parts = [tag("h2", named(one["name"]), " ", tag("small", size)), _part("Routers", _routers(ranked))]
    if ranked and ranked[0]["changes"]:
        parts.append(_part("After each change", _changes(ranked)))
    note = tag("p", CURVE_NOTE, class_="quiet")
    for against, title, said in CURVES:
        drawn = courses(f"{title} on {one['name']}", ranked, against) if ranked else Markup("")
        parts.append(_part(title, tag("p", said, class_="quiet"), key(ranked), drawn, note))
    return tag("section", *parts, _part("Models", _models(one)), class_="table")


def _routers(entries: Sequence[Entry]) -> Markup:
    return table(_head(COLUMNS), [_router(entry) for entry in entries], label="Routers")


def _router(entry: Entry) -> Markup:
    final = entry["final"]
    share = UNKNOWN if final["share"] is None else f"{final['share']:.0%}"
    return tag(
        "tr",
        tag("th", named(entry["router"]), scope="row"),
        tag("td", entry["learns_by"]),
        tag("td", fixed(entry["net"]["mean"])),
        *(tag("td", _told(value)) for value in (entry["beyond_best"], entry["beyond_full"], final["beyond_best"])),
        tag("td", signed(final["full_information"])),
        tag("td", share),
    )


def _changes(entries: Sequence[Entry]) -> Markup:
    rows = [
        tag(
            "tr",
            tag("th", named(entry["router"]), scope="row"),
            tag("td", named(", ".join(change["changes"]))),
            tag("td", count(change["row"])),
            tag("td", fixed(change["shortfall_before"])),
            tag("td", fixed(change["drop"])),
            tag("td", back(change)),
        )
        for entry in entries
        for change in entry["changes"]
    ]
    columns = ("Router", "Change", "At request", "Lost a request before", "Drop", "Back after")
    return table(_head(columns), rows, label="After each change")


def _models(one: Entry) -> Markup:
    rows = [
        tag(
            "tr",
            tag("th", named(model["model"]), scope="row"),
            tag("td", fixed(model["quality"])),
            tag("td", dollars(model["cost_usd"])),
            tag("td", fixed(model["quality"] - one["rewards_per_usd"] * model["cost_usd"])),
        )
        for model in one["models"]
    ]
    return table(_head(("Model", "Score", "Cost of 1,000", "Net reward")), rows, label="Models")


def _told(value: Entry) -> Markup:
    return join([signed(value["mean"]), " ", tag("small", span(value["interval"]))])


def _head(names: Sequence[str]) -> Markup:
    return tag("tr", *(tag("th", name, scope="col") for name in names))


def _part(title: str, *content: Markup) -> Markup:
    return tag("section", tag("h3", title), *content, class_="part")


def _closing(document: Entry) -> Markup:
    meanings = [tag("dt", name) + tag("dd", text) for name, text in MEANING]
    command = tag("pre", tag("code", shlex.join(document["command"])))
    terms = tag("dl", *(Markup(one) for one in meanings))
    return join([tag("h2", "What the numbers mean"), terms, tag("h2", "Run it again"), command])

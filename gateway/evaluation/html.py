"""Writes a report as one page that needs nothing else: no network, no other file, and no scripts to be read."""

from __future__ import annotations

import base64
import json
import shlex
from dataclasses import asdict
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from gateway.evaluation.chart import read_chart
from gateway.evaluation.page.facts import facts, models, pairs, tasks
from gateway.evaluation.page.forest import forests
from gateway.evaluation.page.glossary import glossary
from gateway.evaluation.page.heat import heat
from gateway.evaluation.page.markup import Markup, join, named, tag
from gateway.evaluation.page.numbers import count
from gateway.evaluation.page.scores import scores
from gateway.evaluation.page.shell import shell, styled
from gateway.evaluation.page.verdict import verdict
from gateway.evaluation.plots import save_plots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    Entry = Mapping[str, Any]

SCRIPTS = ("dom.js", "scale.js", "labels.js", "chart.js", "controls.js", "sort.js", "start.js")
MORE = "Show every metric"


def write_report(document: Mapping[str, Any], folder: Path) -> None:
    """Write `report.html`, and `cost_quality_<table>.png` and `.svg` of each table, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    drawings = [save_plots(document, table["name"], folder).read_bytes() for table in document["tables"]]
    # A name may hold half of a surrogate pair, which UTF-8 cannot write.
    text = page(document, drawings)
    (folder / "report.html").write_text(text, encoding="utf-8", errors="xmlcharrefreplace")


def page(document: Mapping[str, Any], drawings: Sequence[bytes]) -> str:
    """Return the page of a report, given each table's chart as an SVG file."""
    folder = files("gateway.evaluation") / "page"
    script = "\n".join((folder / name).read_text(encoding="utf-8") for name in SCRIPTS)
    sections = [_section(document, number, drawings[number]) for number in range(len(document["tables"]))]
    main = tag("main", *sections, tag("section", _closing(document), id="meaning"))
    scripts = join(
        [
            tag("script", _embedded(document), type="application/json", id="data"),
            tag("script", Markup(script), type="module"),
        ]
    )
    title = f"Routing report, {str(document['created'])[:10]}"
    return shell(title, styled(), _header(document), main, scripts, script=script)


def _embedded(document: Mapping[str, Any]) -> Markup:
    """Return the charts as JSON in which nothing can end the element that it stands in."""
    charts = [asdict(read_chart(document, table["name"])) for table in document["tables"]]
    # Six digits are more than a chart shows, and half of the page's size.
    rounded = json.loads(json.dumps(charts), parse_float=lambda text: float(f"{float(text):.6g}"))
    text = json.dumps(rounded, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _header(document: Mapping[str, Any]) -> Markup:
    tables = document["tables"]
    routers = {entry["router"] for entry in document["routers"]}
    when = str(document["created"])[:16].replace("T", " ")
    line = f"{when} · {_counted(tables, 'table')} · {_counted(routers, 'router')}"
    links = [tag("a", named(table["name"]), href=f"#table-{number}") for number, table in enumerate(tables)]
    links.append(tag("a", "What the numbers mean", href="#meaning"))
    return tag(
        "header", tag("h1", "Routing report"), tag("p", line, class_="quiet"), tag("nav", *links, aria_label="Tables")
    )


def _counted(things: Sequence[object] | set[str], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _section(document: Mapping[str, Any], number: int, drawing: bytes) -> Markup:
    table = document["tables"][number]
    routers, references, pairings, left_out = (
        [one for one in document[kind] if one["table"] == table["name"]]
        for kind in ("routers", "references", "pairs", "leave_task_out")
    )
    size = f"{count(table['n_test'])} prompts, {len(table['models'])} models"
    parts = [
        tag("h2", named(table["name"]), " ", tag("small", size)),
        verdict(routers, references),
        _figure(number, table["name"], drawing),
        _part("Routers and metrics", _switch(number), scores(routers, references)),
        _part("Differences in AIQ", tag("p", FOREST_NOTE, class_="quiet"), forests(routers, references)),
    ]
    if left_out:
        parts.append(_part("On tasks never shown in training", tag("p", HEAT_NOTE, class_="quiet"), heat(left_out)))
    if pairings:
        parts.append(_part("Between a strong and a weak model", pairs(pairings)))
    parts.append(_part("The table", facts(table), _folded("Models", models(table)), _folded("Tasks", tasks(table))))
    return tag("section", *parts, id=f"table-{number}", class_="table")


FOREST_NOTE = (
    "Dots are differences, whiskers their 95 % intervals: one that crosses the line at zero shows no difference."
)
HEAT_NOTE = (
    "Points of quality above (blue) or below (orange) always using the best single model, "
    "on a task that was left out while fitting."
)
CHART_NOTE = (
    "Up and to the left is better. Lines are hulls: what mixing two settings of one router gives. "
    "Circles are single models."
)


def _figure(number: int, name: str, drawing: bytes) -> Markup:
    source = f"data:image/svg+xml;base64,{base64.b64encode(drawing).decode()}"
    image = tag("img", src=source, alt=f"Quality against cost of models and routers on {name}")
    caption = tag("figcaption", CHART_NOTE, class_="quiet")
    return tag(
        "figure", tag("h3", "Quality against cost"), tag("div", image, class_="plot"), caption, data_chart=number
    )


def _switch(number: int) -> Markup:
    return tag("label", tag("input", type="checkbox", id=f"every-{number}"), " ", MORE, class_="switch")


def _part(title: str, *content: Markup) -> Markup:
    return tag("section", tag("h3", title), *content, class_="part")


def _folded(title: str, content: Markup) -> Markup:
    return tag("details", tag("summary", title), content)


def _closing(document: Mapping[str, Any]) -> Markup:
    command = shlex.join(document["command"])
    return join(
        [tag("h2", "What the numbers mean"), glossary(), tag("h2", "Run it again"), tag("pre", tag("code", command))]
    )

"""A replay as one page that needs nothing else: no network, no other file, and no scripts."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final

from gateway.evaluation.page.markup import Markup, join, named, tag
from gateway.evaluation.page.numbers import count
from gateway.evaluation.page.shell import shell, styled
from gateway.replay.charts import Spot, histogram, plane
from gateway.replay.tables import answers, estimates, exploration, flows, models, requirement, segments

if TYPE_CHECKING:
    from collections.abc import Mapping

    Entry = Mapping[str, Any]

NO_EVIDENCE: Final = "The log has no evidence for an estimate of both quality and cost: there is nothing to draw."
WEIGHTS_NOTE: Final = (
    "How much likelier the policy makes what was drawn. A few requests of great weight decide an estimate; "
    "those of weight 0 say nothing of it."
)
FOREST_NOTE: Final = (
    "Relative change against what it is compared with. Estimators that agree are a good sign. The direct method has no "
    "interval: its error is what the others correct."
)


def page(document: Entry) -> str:
    """Return the page of a replay."""
    main = tag("main", *_sections(document))
    title = f"Replay report, {document['created'][:10]}"
    return shell(title, styled("gateway.replay"), _header(document), main)


def _header(document: Entry) -> Markup:
    log, requests = document["log"], document["requests"]
    span = f"{log['first'][:16]} to {log['last'][:16]}".replace("T", " ")
    size = f"{count(requests['logged'])} requests, {span}"
    against = "what ran" if document["baseline"] == "ran" else document["baseline"]
    line = join([named(document["policy"]), " against ", named(against), " · ", size])
    return tag("header", tag("h1", "Replay report"), tag("p", line, class_="quiet"))


def _sections(document: Entry) -> list[Markup]:
    parts = [_part("What is required", requirement(document["requirement"]))] if document["requirement"] else []
    parts += [_warnings(document)] if document["warnings"] else []
    parts.append(_part("What it would have come to", _counts(document), answers(document)))
    if document["answers"]:
        parts += [
            _part("Quality against cost", _plane(document)),
            _part("Estimators", tag("p", FOREST_NOTE, class_="quiet"), estimates(document)),
            _part("Where the traffic moves", flows(document), models(document)),
            _part("Overlap", tag("p", WEIGHTS_NOTE, class_="quiet"), histogram(document["weights"])),
            _part("By rule of the policy", segments(document)),
            _part("What exploration would tell", exploration(document)),
        ]
    return [*parts, _closing(document)]


def _counts(document: Entry) -> Markup:
    requests = document["requests"]
    lines = [f"{count(requests['told'])} requests are replayed, {count(requests['rated'])} of all were rated."]
    lines += [f"{count(n)} cannot be told: the log lacks {name}." for name, n in requests["untold"].items()]
    if requests["refused_by_policy"]:
        lines.append(f"{count(requests['refused_by_policy'])} are refused by the policy.")
    if requests["deterministic"]:
        lines.append(f"{count(requests['deterministic'])} could have gone nowhere else.")
    if requests["kept_model_of_session"]:
        first = count(requests["by_first_decision_of_session"])
        kept = count(requests["kept_model_of_session"])
        lines.append(f"{kept} kept the model of their session; {first} of them go by the decision that it began with.")
    return join([tag("p", line) for line in lines])


def _plane(document: Entry) -> Markup:
    quality, cost = (document["answers"][name]["estimates"] for name in ("quality", "cost"))
    if quality is None or cost is None:
        return tag("p", NO_EVIDENCE, class_="quiet")
    method = document["settings"]["method"]
    before = "what ran" if document["baseline"] == "ran" else "baseline"
    sides = (("baseline", before), ("policy", "policy"))
    spots = [Spot(name, cost[method][side], quality[method][side]) for side, name in sides]
    return plane([spot for spot in spots if None not in (spot.cost["value"], spot.quality["value"])])


def _warnings(document: Entry) -> Markup:
    return tag("section", *(tag("p", warning) for warning in document["warnings"]), class_="part warnings")


def _closing(document: Entry) -> Markup:
    assumptions = tag("ul", *(tag("li", text) for text in document["assumptions"]))
    command = tag("pre", tag("code", shlex.join(document["command"])))
    return join([_part("What the numbers rest on", assumptions), _part("Run it again", command)])


def _part(title: str, *content: Markup) -> Markup:
    return tag("section", tag("h3", title), *content, class_="part")

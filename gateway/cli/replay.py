"""`pointsman replay`: what a policy would have cost and scored on the requests of a log."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.evaluations import screen
from gateway.cli.log import moment
from gateway.cli.options import DEFAULT_CONFIG, Config
from gateway.replay.settings import METHODS, Clusters, Method, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


Log = Annotated[
    Path | None, typer.Option(help="The log's database, or the gateway's file that names it; by default --config's.")
]
New = Annotated[Path, typer.Option("--policy", help="A policy's file, or a gateway's, as it would be.")]
Old = Annotated[Path | None, typer.Option(help="What to compare with; by default what ran.")]
Since = Annotated[str | None, typer.Option(help="Since then: an age (90s, 15m, 24h, 7d) or an ISO time.")]
Until = Annotated[str | None, typer.Option(help="Before then: an age or an ISO time.")]
Name = Annotated[str | None, typer.Option(help="Only requests under this policy; by default the one of --policy.")]
Last = Annotated[int | None, typer.Option(min=1, help="Only so many requests, the newest.")]
Estimator = Annotated[str, typer.Option(metavar="|".join(METHODS), help="The estimator that --require goes by.")]
Dependent = Annotated[str, typer.Option(metavar="session|caller|none", help="Requests of the same one count as one.")]
Html = Annotated[Path | None, typer.Option(help="Write a report as one page of HTML.")]
Json = Annotated[str | None, typer.Option("--json", help="Write all numbers to this file; '-' is standard output.")]
Require = Annotated[
    str | None, typer.Option(help="What has to be shown, such as 'cost<-10% and quality>-0.5%'; else status 3 or 4.")
]
Effective = Annotated[float, typer.Option(min=1, help="Fewer requests than this, in effect, are not enough data.")]
Unsupported = Annotated[
    float, typer.Option(min=0, max=1, help="The share of the traffic that may go where no probability was logged.")
]
Untold = Annotated[float, typer.Option(min=0, max=1, help="The share of requests that may lack something in the log.")]
Precision = Annotated[float, typer.Option(min=1e-6, max=1, help="How exactly quality is to be known: ± so much.")]


def command(  # noqa: PLR0913 - there is one for each option
    policy: New,
    *,
    log: Log = None,
    baseline: Old = None,
    since: Since = None,
    until: Until = None,
    policy_name: Name = None,
    last: Last = None,
    estimator: Estimator = "dr",
    clusters: Dependent = "session",
    html: Html = None,
    json_: Json = None,
    require: Require = None,
    min_effective: Effective = 100.0,
    max_unsupported: Unsupported = 0.01,
    max_untold: Untold = 0.05,
    precision: Precision = 0.01,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Estimate what a policy would have cost and scored on logged requests, from what the policy that ran tried.

    Nothing is sent. Where the log has no evidence, nothing is told, and what would have to be tried is said. The status
    is 3 where what --require asks for is not shown, and 4 where there is no evidence for or against it. A table that
    has the answers of every model is for `pointsman evaluate`.
    """
    from gateway.replay.assembly import Asked, Span, replay
    from gateway.replay.requirement import parse_requirement
    from gateway.replay.verdict import EXIT
    from routers.evaluation.off_policy.evidence import Demands

    now = datetime.now(UTC)
    asked = Asked(
        policy=policy,
        baseline=baseline,
        log=log,
        config=config,
        span=Span(moment(since, now) if since else None, moment(until, now) if until else None, last),
        policy_name=policy_name,
        clauses=parse_requirement(require) if require is not None else (),
        settings=Settings(
            method=_method(estimator),
            clusters=_clusters(clusters),
            demands=Demands(min_effective, max_unsupported),
            most_untold=max_untold,
            half_width=precision,
        ),
    )
    document, status = replay(asked, ["pointsman", *sys.argv[1:]], now, os.environ)
    _write(document, html, json_)
    _print(document, quiet=json_ == "-")
    if EXIT[status]:
        raise typer.Exit(EXIT[status])


def _method(name: str) -> Method:
    for method in METHODS:
        if method == name:
            return method
    raise typer.BadParameter(f"{name!r} is none of {', '.join(METHODS)}", param_hint="--estimator")


def _clusters(name: str) -> Clusters:
    known: Sequence[Clusters] = ("session", "caller", "none")
    for each in known:
        if each == name:
            return each
    raise typer.BadParameter(f"{name!r} is none of {', '.join(known)}", param_hint="--clusters")


def _write(document: Mapping[str, Any], html: Path | None, json_: str | None) -> None:
    from gateway.replay.page import page

    text = json.dumps(document, indent=1, allow_nan=False)
    if json_ == "-":
        typer.echo(text)
    elif json_ is not None:
        Path(json_).write_text(text + "\n", encoding="utf-8")
    if html is not None:
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(page(document), encoding="utf-8", errors="xmlcharrefreplace")


def _print(document: Mapping[str, Any], *, quiet: bool) -> None:
    from gateway.replay.grid import grids

    console = screen(as_json=quiet)
    for part in grids(document):
        console.print(part)

"""The calibration of judges and signs as one page that needs nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.evaluation.page.markup import Markup, named, table, tag
from gateway.judging.calibration import ENOUGH
from gateway.judging.calibration_grid import COLUMNS, cells, shown

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.judging.calibration import Calibration

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem}"
    "table{border-collapse:collapse}th,td{padding:.3rem .7rem;text-align:right;border-bottom:1px solid #8884}"
    "th:first-child,td:first-child{text-align:left}.scroll{overflow-x:auto}"
)
MEANING: Final = (
    ("agreement", "on how many answers both are on the same side of one half, with Wilson's interval"),
    (
        "AUC",
        "how often an answer that people found good was said to be better than one that they found bad; 0.5 is chance",
    ),
    ("ECE", "by how much what is said misses what people say, within tenths of the scale; noise alone raises it"),
    ("kappa", "by how much more both agree than by chance; 1 is always"),
    ("bias", "by how much more is said than people say"),
    ("with length", "the correlation of what is said too much with the answer's length; 0 is as it should be"),
    ("trust", "the weight that this evidence supports, at the lower end of its interval"),
)


def calibration_page(calibration: Calibration, at: datetime) -> str:
    """Return the page; other intervals than Wilson's are from resampling the answers (95 %)."""
    head = tag("tr", tag("th", "who"), *(tag("th", column) for column in COLUMNS))
    rows = [
        tag("tr", tag("td", named(voice.name)), *(tag("td", cell) for cell in cells(voice)))
        for voice in calibration.voices
    ]
    groups = [
        tag("tr", tag("td", named(voice.name)), *map(_cell, (group.kind, group.name, str(group.n), shown(group.bias))))
        for voice in calibration.voices
        for group in voice.groups
    ]
    over = tag("tr", *(tag("th", name) for name in ("who", "of", "group", "n", "bias")))
    body = [
        tag("h1", "Calibration of judges and signs"),
        tag("p", f"{at.isoformat(timespec='minutes')} · held against people's ratings of {calibration.rated} answers."),
        table(head, rows, label="Judges and signs"),
        tag("p", f"Of fewer than {ENOUGH} answers that both rated, no weight is suggested."),
        tag("h2", "Bias by group"),
        table(over, groups, label="Bias by group"),
        tag("h2", "What the numbers mean"),
        tag("dl", *(part for word, said in MEANING for part in (tag("dt", word), tag("dd", said)))),
    ]
    policy = tag("meta", http_equiv="Content-Security-Policy", content="default-src 'none'; style-src 'unsafe-inline'")
    title = tag("title", "Calibration of judges and signs")
    whole = tag("head", tag("meta", charset="utf-8"), policy, title, tag("style", Markup(_STYLE)))
    return "<!doctype html>\n" + tag("html", whole, tag("body", *body), lang="en") + "\n"


def _cell(text: str) -> Markup:
    return tag("td", text)

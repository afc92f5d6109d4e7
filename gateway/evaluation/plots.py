"""Cost against quality as a figure, for those who print it or read without scripts."""

from __future__ import annotations

import hashlib
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from gateway.evaluation.chart import read_chart
from gateway.evaluation.labels import Box, place_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from numpy.typing import NDArray

    from gateway.evaluation.chart import Chart, Kind, Series

    Line = NDArray[np.float64]

#: Told apart by those who do not see all colours, and dark enough on white; shapes differ as well.
COLOURS = ("#0072b2", "#d55e00", "#00785a", "#b0468a", "#8a6d00", "#56439e", "#2a8ca8", "#7a3b2e")
MARKERS = "os^DvPXh"
GREY = "#5f6670"
REFERENCE_LINES: Mapping[Kind, tuple[Literal["-", ":", "--", ""], str]] = {
    "zero": ("-", GREY),
    "oracle": (":", GREY),
    "task_oracle": ("--", "#22262c"),
    "random": ("", GREY),
}
#: More models than this are numbered, and named beside the figure.
MOST_LABELS = 12
LONGEST_NAME = 40
FONT = "DejaVu Sans"
PNG_DPI = 200
POINTS_PER_INCH = 72
#: Points on each straight piece of a hull, which the logarithm bends.
BENDS = 24
#: From so many pixels on, a line leads from a name to its point.
FAR = 18.0
LEADER = {"arrowstyle": "-", "color": GREY, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3}


def draw(document: Mapping[str, Any], table_name: str) -> Figure:
    """Return the cost-quality figure of a table. Raises `LookupError` where the report has no such table."""
    chart = read_chart(document, table_name)
    entries = len(chart.routers) + len(chart.references) + _is_numbered(chart) * len(chart.models)
    with rc_context({"font.family": FONT, "font.size": 10, "axes.unicode_minus": True}):
        figure = Figure(figsize=(9, max(5.4, 1 + 0.21 * entries)), layout="constrained", facecolor="white")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        _dress(axes, chart)
        handles = [*_draw_routers(axes, chart), *_draw_references(axes, chart)]
        _draw_models(axes, chart, handles)
    return figure


def save_plots(document: Mapping[str, Any], table_name: str, folder: Path) -> Path:
    """Write `cost_quality_<table>.png` and `.svg` into a folder; return the latter's path.

    The same report gives the same SVG, byte for byte.
    """
    stem = f"cost_quality_{file_stem(table_name)}"
    figure = draw(document, table_name)
    figure.savefig(folder / f"{stem}.png", dpi=PNG_DPI, metadata={"Software": None})
    with rc_context({"svg.hashsalt": stem, "svg.fonttype": "path"}):
        figure.savefig(folder / f"{stem}.svg", metadata={"Date": None, "Creator": None})
    return folder / f"{stem}.svg"


def file_stem(name: str) -> str:
    """Return a table's name as a part of a file's name; one that had to change says so by a digest.

    Example:
        >>> file_stem("mmlu_pro"), file_stem("../a b")
        ('mmlu_pro', '.._a_b-2c2c791a')
    """
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:60]
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return plain if plain == name else f"{plain}-{digest}"


def _is_numbered(chart: Chart) -> bool:
    return len(chart.models) > MOST_LABELS


def _dress(axes: Axes, chart: Chart) -> None:
    """Set scales and axes. A cost of nothing has no logarithm: the axis is linear near it."""
    costs = [cost for cost, _ in chart.places()]
    paid = [cost for cost in costs if cost > 0]
    if paid and len(paid) < len(costs):
        axes.set_xscale("symlog", linthresh=min(paid))
    elif paid:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: f"${cost:,.4g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("mean cost of 1,000 prompts (USD)")
    axes.set_ylabel("mean quality")
    axes.set_title(f"{printable(chart.table)}: quality against cost", loc="left", parse_math=False)
    axes.grid(visible=True, color="#e4e7eb", linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(0.06)


def _draw_references(axes: Axes, chart: Chart) -> list[Line2D]:
    handles = []
    for series in chart.references:
        style, colour = REFERENCE_LINES[series.kind]
        if style:
            axes.plot(*_bent(series.hull).T, linestyle=style, color=colour, linewidth=1.3, zorder=2)
        else:
            axes.plot(*_columns(series), marker="+", linestyle="", color=colour, zorder=3)
        handles.append(Line2D([], [], linestyle=style, marker="" if style else "+", color=colour, label=series.name))
    return handles


def _draw_routers(axes: Axes, chart: Chart) -> list[Line2D]:
    handles = []
    for number, series in enumerate(chart.routers):
        colour = COLOURS[number % len(COLOURS)]
        marker = MARKERS[(number + number // len(COLOURS)) % len(MARKERS)]
        axes.plot(*_bent(series.hull).T, color=colour, linewidth=1.5, zorder=4)
        axes.plot(*_columns(series), marker=marker, markersize=4, linestyle="", color=colour, alpha=0.8, zorder=5)
        label = printable(series.name)
        handles.append(Line2D([], [], color=colour, marker=marker, markersize=5, label=label))
    return handles


def _draw_models(axes: Axes, chart: Chart, handles: list[Line2D]) -> None:
    points = np.array([(model.cost, model.quality) for model in chart.models]).reshape(-1, 2)
    axes.plot(*points.T, marker="o", markersize=5, linestyle="", color="#22262c", fillstyle="none", zorder=6)
    curves = np.concatenate([np.empty((0, 2)), *(_bent(series.hull) for series in (*chart.routers, *chart.references))])
    names = [printable(model.name) for model in chart.models]
    numbers = [str(number) for number in range(1, len(names) + 1)]
    listed = [f"{number}  {name}" for number, name in zip(numbers, names, strict=True)] if _is_numbered(chart) else []
    handles += [Line2D([], [], linestyle="", label=text) for text in listed]
    legend = axes.figure.legend(handles=handles, loc="outside right upper", fontsize=8, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
    _name_points(axes, points, numbers if listed else names, curves)


def _name_points(axes: Axes, points: Line, texts: Sequence[str], curves: Line) -> None:
    """Write a text beside each point `[n, 2]`, clear of curves `[m, 2]` where that can be; far ones get a line."""
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("axes belongs to no figure: add it to one")
    labels = [_name(axes, text, (x, y)) for text, (x, y) in zip(texts, points, strict=True)]
    figure.draw_without_rendering()
    # What the names are kept clear of must not move any more.
    figure.set_layout_engine("none")
    sizes = [(extent.width, extent.height) for extent in (label.get_window_extent() for label in labels)]
    inside = axes.bbox
    frame = Box((inside.x0 + inside.x1) / 2, (inside.y0 + inside.y1) / 2, inside.width, inside.height)
    pixels = axes.transData.transform(points)
    boxes = place_labels(pixels, sizes, frame, axes.transData.transform(curves))
    for label, (x, y), box in zip(labels, pixels, boxes, strict=True):
        label.xyann = ((box.x - x) * POINTS_PER_INCH / figure.dpi, (box.y - y) * POINTS_PER_INCH / figure.dpi)
        if box.gap(x, y) > FAR:
            axes.annotate("", label.xy, label.xyann, textcoords="offset points", arrowprops=LEADER)


def _name(axes: Axes, text: str, point: tuple[float, float]) -> Annotation:
    """Write a text on a point, with a white edge that parts it from lines beneath."""
    name = axes.annotate(text, point, (0, 0), textcoords="offset points", fontsize=8, zorder=7, parse_math=False)
    name.set(ha="center", va="center", path_effects=[withStroke(linewidth=2.5, foreground="white")])
    return name


def _columns(series: Series) -> tuple[list[float], list[float]]:
    return [point.cost for point in series.points], [point.quality for point in series.points]


def _bent(hull: Sequence[tuple[float, float]]) -> Line:
    """Return a hull `[n, 2]` as a logarithmic axis shows it: mixing two points is straight only in dollars."""
    if not hull:
        return np.empty((0, 2))
    pieces = [np.linspace(start, end, BENDS, endpoint=False) for start, end in pairwise(hull)]
    return np.concatenate([*pieces, [hull[-1]]])


def printable(name: str) -> str:
    """Return a name with what the font cannot draw, or XML cannot hold, replaced; and not too long."""
    known = get_font(findfont(FONT)).get_charmap()
    text = "".join(sign if ord(sign) in known and sign.isprintable() else "\ufffd" for sign in name)
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"

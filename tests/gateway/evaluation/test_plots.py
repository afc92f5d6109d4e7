from __future__ import annotations

import math
import sys
from io import BytesIO
from itertools import combinations
from subprocess import run
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from gateway.evaluation.labels import Box, place_labels
from gateway.evaluation.plots import COLOURS, draw, file_stem, printable, save_plots
from tests.reports import HOSTILE, emptied, report

NOWHERE = np.empty((0, 2))


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts if text.get_text()]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_models_are_named_where_they_are_few():
    """Each single model has its name beside it."""
    assert ["small", "medium", "large"] == texts(draw(report(), "mmlu"))


def test_models_are_numbered_where_they_are_many():
    """More than twelve have a number each, which the legend explains in the order of their costs."""
    names = tuple(f"model-{number}" for number in range(13))
    figure = draw(report(models=names), "mmlu")

    assert [str(number) for number in range(1, 14)] == texts(figure)
    assert [f"{number + 1}  {name}" for number, name in enumerate(names)] == legend(figure)[-13:]


def test_names_do_not_overlap():
    """Thirty models, many of them close together, and no label covers another."""
    figure = draw(report(models=tuple(f"model-{number}" for number in range(30))), "mmlu")
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text()]

    assert 30 == len(boxes)
    assert [] == [
        (a, b)
        for a, b in combinations(boxes, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
    ]


def test_everything_is_in_the_legend():
    """Routers by falling AIQ, then what they are held against."""
    names = ["recommended", "knn", "zero router (mixtures of models)", "oracle", "told the task", "random"]

    assert names == legend(draw(report(), "mmlu"))


def test_cost_is_on_a_logarithmic_axis():
    """So that a cheap model is not squeezed against the edge."""
    assert "log" == draw(report(), "mmlu").axes[0].get_xscale()


def test_what_is_free_is_still_drawn():
    """A local model that costs nothing has a place on the axis."""
    document = report()
    document["tables"][0]["models"][0]["cost_usd"] = 0.0
    axes = draw(document, "mmlu").axes[0]

    assert "symlog" == axes.get_xscale()
    assert axes.get_xlim()[0] <= 0


def test_a_mixture_is_straight_in_dollars():
    """Half-way between two corners of a hull costs the mean of their costs, which a logarithm bends."""
    document = report()
    document["routers"] = document["routers"][:1]
    document["routers"][0]["hull"] = [[0.001, 0.5], [0.003, 0.7]]
    (line,) = [
        line
        for line in draw(document, "mmlu").axes[0].lines
        if line.get_color() == COLOURS[0] and line.get_linestyle() == "-"
    ]

    assert math.isclose(0.6, np.interp(2.0, *line.get_data()))
    assert len(line.get_xdata()) > 10


def test_reports_without_numbers_are_drawn():
    """Nothing is known but names; the figure has axes all the same."""
    assert [] == texts(draw(emptied(report()), "mmlu"))


def test_an_unknown_table_is_named():
    """The error says which there are."""
    with pytest.raises(LookupError, match=r"no table 'other' in the report, which has \['mmlu'\]"):
        draw(report(), "other")


def test_files_are_written_under_the_tables_name(tmp_path):
    """A PNG wide enough for a page, and an SVG that is XML."""
    path = save_plots(report(), "mmlu", tmp_path)
    with Image.open(tmp_path / "cost_quality_mmlu.png") as picture:
        width = picture.width

    assert tmp_path / "cost_quality_mmlu.svg" == path
    assert ET.parse(path).getroot().tag.endswith("svg")  # noqa: S314  our own file
    assert width >= 1800


def test_the_same_report_gives_the_same_picture(tmp_path):
    """Byte for byte, today and tomorrow."""
    first = save_plots(report(), "mmlu", tmp_path).read_bytes()

    assert first == save_plots(report(), "mmlu", tmp_path).read_bytes()
    assert b"<dc:date>" not in first


def test_hostile_names_are_drawn(tmp_path):
    """Neither formulas, nor glyphs that the font lacks, nor signs that XML forbids disturb."""
    names = tuple(HOSTILE)
    document = report((HOSTILE[0],), names, names)
    path = save_plots(document, HOSTILE[0], tmp_path)

    assert tmp_path == path.parent
    assert ET.parse(path).getroot().tag.endswith("svg")  # noqa: S314  our own file
    assert [printable(name) for name in names] == texts(draw(document, HOSTILE[0]))


def test_what_cannot_be_drawn_is_replaced():
    """Control signs and glyphs that are not in the font become one sign, and long names end early."""
    assert "a\ufffdb\ufffd" == printable("a\x00b模")
    assert 40 == len(printable("n" * 100))


@pytest.mark.parametrize("name", ["../up", "a/b", "a b", "x" * 200, "é"])
def test_file_names_stay_in_the_folder(name):
    """A table's name cannot lead elsewhere, and two names never share a file."""
    stem = file_stem(name)

    assert set(stem) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    assert stem != file_stem(name.replace("/", "_").replace(" ", "_")) if {"/", " "} & set(name) else len(stem) < 100


def test_labels_take_the_first_free_place():
    """To the right; where that is taken, around the point."""
    frame = Box(50, 50, 100, 100)
    alone, beside = place_labels(np.array([[50.0, 50.0], [50.0, 62.0]]), [(20, 10)] * 2, frame, NOWHERE)

    assert (66.0, 50.0) == (alone.x, alone.y)
    assert beside.gap(alone.x, alone.y) >= 0
    assert 0 == beside.shared(np.array([[alone.x, alone.y, 20, 10]]))


def test_labels_that_fit_nowhere_stay_in_the_frame_as_far_as_they_can():
    """The place that covers least is taken."""
    (box,) = place_labels(np.array([[5.0, 5.0]]), [(30, 30)], Box(5, 5, 10, 10), NOWHERE)

    assert Box(box.x, box.y, 30, 30) == box


def test_no_window_system_is_asked_for():
    """pyplot, which keeps figures and picks a window system, is never imported."""
    code = "import sys, gateway.evaluation.html; sys.exit('matplotlib.pyplot' in sys.modules)"

    assert 0 == run([sys.executable, "-c", code], check=False).returncode


def test_curves_are_told_apart_on_white():
    """Every colour contrasts with the paper, three to one."""

    def luminance(colour):
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    assert [] == [colour for colour in COLOURS if 1.05 / (luminance(colour) + 0.05) < 3]


def test_the_figure_has_ink():
    """More than axes: each router's colour is on the picture."""
    buffer = BytesIO()
    draw(report(), "mmlu").savefig(buffer, format="png")
    colours = {colour for _, colour in Image.open(buffer).convert("RGB").getcolors(1 << 20)}

    assert {tuple(int(colour[place : place + 2], 16) for place in (1, 3, 5)) for colour in COLOURS[:2]} <= colours

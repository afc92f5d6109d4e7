from __future__ import annotations

import doctest
import json
import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

import gateway.evaluation.page.markup
import gateway.evaluation.page.numbers
import gateway.evaluation.plots
from gateway.evaluation.html import page, write_report
from gateway.evaluation.page.heat import level
from gateway.evaluation.page.markup import Markup, join, tag
from gateway.evaluation.page.metrics import METRICS
from gateway.evaluation.page.numbers import count, dollars, fixed, signed, span
from gateway.evaluation.page.scores import scores
from gateway.evaluation.page.verdict import headline, verdict
from tests.pages import ROOT, anchors
from tests.reports import HOSTILE, difference, emptied, measured, references, report

MODELS = ["small", "large"]
EMPTY = {"meta", "img", "input", "br", "line", "circle", "rect"}


class Page(HTMLParser):
    """The elements of a page, its words, and the tags that were never closed."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self.open, self.wrong = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join("".join(self.words).split())


def drawn(document):
    return page(document, [b"<svg/>"] * len(document["tables"]))


def said(router, **changes):
    return Page(verdict([measured("t", router, MODELS, **changes)], references("t", MODELS))).text


def test_the_verdict_is_in_plain_words():
    """What it costs to match the best model, and how the router stands to each reference."""
    expected = "recommended answers as well as always large at 0.46 of its cost; better than the zero router; no difference from being told the task."

    assert said("recommended").startswith(expected)


def test_the_verdict_says_what_is_not_reached():
    """A router that never matches the best model is said not to."""
    text = said("knn", match_cost_ratio=None, differences=[difference("zero", -0.1, "worse")])

    assert text.startswith("knn does not answer as well as always large at any cost; worse than the zero router.")
    assert "not reached; that model takes $1 for 1,000 prompts" in text


def test_a_saving_of_nothing_is_called_so():
    """Not a share of one."""
    assert "answers as well as always large at its full cost" in said("knn", match_cost_ratio=0.998)


def test_to_beat_chance_is_no_news():
    """Only not to beat it is."""
    assert "random" not in said("knn", differences=[difference("random", 0.2, "better")])
    assert "no difference from random choice" in said("knn", differences=[difference("random", 0, "no difference")])


def test_the_verdict_is_about_the_recommended_router():
    """Where there is none, about that of highest AIQ."""
    weak, strong = measured("t", "weak", MODELS), measured("t", "strong", MODELS, lift=0.1)
    recommended = measured("t", "recommended", MODELS, lift=-0.1)

    assert recommended is headline([weak, strong, recommended])
    assert strong is headline([weak, strong])
    assert headline([]) is None


def test_a_router_that_was_picked_with_hindsight_is_said_to_be():
    """The best of many looks better than it is."""
    routers = [measured("t", "weak", MODELS), measured("t", "strong", MODELS, lift=0.1)]

    assert Page(verdict(routers, [])).text.startswith(
        "strong, of highest AIQ among 2 routers here, answers as well as the best single model"
    )


def test_a_table_without_routers_says_so():
    """There is a page all the same."""
    assert "No router was evaluated on this table." in Page(drawn(report(routers=()))).text


@pytest.mark.parametrize(
    "document",
    [
        report(),
        report(("a", "b")),
        emptied(report()),
        report(routers=()),
        report(tuple(HOSTILE), tuple(HOSTILE), tuple(HOSTILE), tuple(HOSTILE)),
    ],
    ids=["plain", "two tables", "nulls", "no routers", "hostile"],
)
def test_pages_are_well_formed(document):
    """Every element that is opened is closed, in order, and no id is given twice."""
    read = Page(drawn(document))
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]

    assert [] == read.wrong
    assert [] == read.open
    assert len(set(ids)) == len(ids)


def test_hostile_names_stay_text():
    """No name adds an element or an attribute to the page."""
    plain = [f"name-{number}" for number in range(len(HOSTILE))]
    shape = [
        [
            (name, sorted(attributes))
            for name, attributes in Page(
                drawn(report(tuple(names[:2]), tuple(names), tuple(names), tuple(names)))
            ).elements
        ]
        for names in (plain, HOSTILE)
    ]

    assert shape[0] == shape[1]
    assert HOSTILE[1] in Page(drawn(report(routers=tuple(HOSTILE)))).text


def test_embedded_data_cannot_end_its_element():
    """It is JSON that holds the names as they are, and no angle bracket."""
    text = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', drawn(report(routers=tuple(HOSTILE)))
    )[1]

    assert set() == {"<", ">", "&"} & set(text)
    assert set(HOSTILE) == {one["name"] for one in json.loads(text)[0]["routers"]}


def test_names_keep_their_own_direction():
    """Each stands in an element that isolates it."""
    assert f"<bdi>{HOSTILE[3]}</bdi>" in drawn(report(routers=(HOSTILE[3],)))


def test_nothing_is_fetched():
    """The policy forbids it, and there is no address to fetch from."""
    read = Page(drawn(report()))
    policy = next(one["content"] for one in read.all("meta") if one.get("http-equiv") == "Content-Security-Policy")

    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy
    assert [] == [
        a
        for _, a in read.elements
        for name in ("src", "href")
        if not a.get(name, "#").startswith(("#", "data:image/svg+xml;base64,"))
    ]


def test_meanings_point_at_headings_that_there_are():
    """docs/evaluation.md has each that the page names."""
    named = set(re.findall(r"docs/evaluation\.md#([\w-]+)", drawn(report())))

    assert named
    assert set() == named - anchors(ROOT / "docs" / "evaluation.md")


def test_what_nobody_reaches_is_folded_away():
    """The oracle would squeeze all other differences together."""
    text = drawn(report())

    assert "better" in text.split("Against other references")[0]
    assert "against the oracle" not in text.split("Against other references")[0]
    assert "against the oracle" in text


def test_every_metric_has_a_column_and_a_meaning():
    """The glossary explains each, and says where more is written."""
    read = Page(drawn(report()))

    assert [] == [
        metric.label
        for metric in METRICS
        if f"{metric.meaning} docs/evaluation.md#{metric.anchor}" not in " ".join(" ".join(read.words).split())
    ]
    assert [] == [
        metric.label for metric in METRICS if metric.meaning not in {one.get("title") for one in read.all("th")}
    ]


def test_rows_have_a_cell_for_every_column():
    """In routers' rows and in references', whatever is missing."""
    for document in (report(), emptied(report())):
        read = Page(scores(document["routers"], document["references"]))
        tags = [tag for tag, _ in read.elements if tag in {"tr", "th", "td"}]
        rows = "".join({"tr": "\n", "th": "h", "td": "d"}[tag] for tag in tags).split("\n")[1:]

        assert 1 + len(METRICS) + 4 == len(rows[0])
        assert {len(rows[0])} == {len(row) for row in rows}


def test_references_are_not_held_against_themselves():
    """But a router that has a reference's name is."""
    own = [difference("zero", -0.001, "no difference")]
    router, reference = (measured("t", "zero", MODELS, differences=own) for _ in range(2))

    assert 1 == scores([router], [reference]).count('class="chip')


def test_the_best_number_of_a_column_stands_out():
    """The highest quality, and the lowest cost; among routers only."""
    routers = [
        measured("t", "dear", MODELS, max_accuracy=0.8, match_cost_ratio=0.9),
        measured("t", "cheap", MODELS, match_cost_ratio=0.4),
    ]
    text = scores(routers, references("t", MODELS))

    assert '<td class="best" data-value="0.8">0.800' in text
    assert '<td class="best" data-value="0.4">0.40\N{MULTIPLICATION SIGN}' in text
    assert 'data-value="0.9">0.90\N{MULTIPLICATION SIGN}' in text


def test_the_command_can_be_pasted():
    """Arguments with spaces are quoted."""
    assert "pointsman evaluate 'a table.parquet'" in Page(drawn(report())).text


def test_what_was_measured_is_stated():
    """Rows, folds, what was left out, and the file's digest."""
    text = Page(drawn(report())).text

    for part in (
        "4,000 prompts of the fold “train”",
        "1,234 prompts of the fold “dev”",
        "7 duplicates, 0 incomplete",
        "ab" * 32,
    ):
        assert part in text


def test_a_report_is_a_folder(tmp_path):
    """The page, and both pictures of each table, in a folder that need not exist."""
    write_report(report(("a", "b")), tmp_path / "new" / "report")
    names = {path.name for path in (tmp_path / "new" / "report").iterdir()}

    assert {"report.html", *(f"cost_quality_{table}.{kind}" for table in "ab" for kind in ("png", "svg"))} == names


def test_half_a_surrogate_pair_can_be_written(tmp_path):
    """JSON can hold one, and UTF-8 cannot."""
    write_report(report(routers=("\ud83e",)), tmp_path)

    assert "&#55358;" in (tmp_path / "report.html").read_text()


def test_scripts_and_style_make_no_requests():
    """Nor do they make markup of strings."""
    for path in (files("gateway.evaluation") / "page").iterdir():
        if path.name.endswith((".js", ".css")):
            text = path.read_text().replace("http://www.w3.org/2000/svg", "")

            assert [] == re.findall(
                r"https?:|//[a-z]|\bfetch\b|import\b|innerHTML|insertAdjacent|\beval\b|url\(", text
            ), path.name


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("\N{MINUS SIGN}0.500", fixed(-0.5)),
        ("\N{EN DASH}", fixed(None)),
        ("0.000", fixed(-0.0004)),
        ("+0.020", signed(0.02)),
        ("0.000", signed(-0.0001)),
        ("[\N{MINUS SIGN}0.010, 0.030]", span([-0.01, 0.03])),
        ("", span([None, 1.0])),
        ("$0.539", dollars(0.000539)),
        ("$1,234", dollars(1.234)),
        ("$0", dollars(0)),
        ("12,345", count(12345)),
    ],
)
def test_numbers_are_written_for_readers(expected, text):
    """With a real minus, a dash for what is missing, and costs for a thousand prompts."""
    assert expected == text


@pytest.mark.parametrize(
    ("expected", "gap"),
    [("even", None), ("even", 0.9), ("above-1", 1), ("below-2", -3.0), ("above-3", 9.9), ("below-4", -50)],
)
def test_colours_grow_with_the_gap(expected, gap):
    """Blue above, orange below, four steps each."""
    assert expected == level(gap)


@pytest.mark.parametrize(
    "module", [gateway.evaluation.page.markup, gateway.evaluation.page.numbers, gateway.evaluation.plots]
)
def test_examples_are_true(module):
    """What docstrings show is what happens."""
    assert doctest.TestResults(0, doctest.testmod(module).attempted) == doctest.testmod(module)


def test_text_is_escaped_and_markup_is_not():
    """Wherever it enters: as a child, in an attribute, in a list."""
    assert '<td title="&quot;&lt;">&lt;b&gt;<i>x</i></td>' == tag("td", "<b>", Markup("<i>x</i>"), title='"<')
    assert "&amp;, <i></i>" == join(["&", tag("i")], ", ")
    assert '<input hidden data-value="0">' == tag("input", hidden=True, data_value=0, checked=False, value=None)

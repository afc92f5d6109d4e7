"""A report, read in a real browser: nothing is fetched, nothing hostile runs, and what moves works."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from gateway.evaluation.html import write_report
from tests.reports import HOSTILE, report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 400, "height": 800}
MODELS = tuple(f"model-{number}" for number in range(5))
#: The contrast that WCAG asks of text (AA), and of what else has to be seen.
TEXT, GRAPHICS = 4.5, 3.0

#: Contrast of each visible text with what is behind it, as [text, ratio].
CONTRASTS = """() => {
  const numbers = (colour) => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (parts) => {
    const [red, green, blue] = parts.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const ratio = (colour, element) => {
    const [one, other] = [luminance(numbers(colour)), luminance(behind(element))];
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  };
  const texts = [...document.querySelectorAll("body *")].filter(
    (element) => !["SCRIPT", "STYLE"].includes(element.tagName) && element.getClientRects().length
      && [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()));
  const words = texts.map((element) => {
    const style = getComputedStyle(element);
    return [element.textContent, ratio(element instanceof SVGElement ? style.fill : style.color, element)];
  });
  const curves = [...document.querySelectorAll(".canvas .line")].map((line) => [line.parentElement.getAttribute("class"), ratio(getComputedStyle(line).stroke, line.closest("div"))]);
  return { words, curves };
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a browser without a window. It is the system's own: none is downloaded."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail(f"none of {', '.join(BROWSERS)} is installed: install the Debian package 'chromium'")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """Return a plain report's page."""
    return write(tmp_path_factory.mktemp("plain"), report(("one", "two"), models=MODELS))


@pytest.fixture(scope="module")
def long_named(tmp_path_factory) -> Path:
    """Return a page whose names are long and have no place to break."""
    long = "a-very-long-name-without-any-blank-" * 4
    return write(tmp_path_factory.mktemp("long"), report((long,), (long, "knn"), (long, "small"), (long, "law")))


def write(folder, document):
    write_report(document, folder)
    return folder / "report.html"


@contextmanager
def reading(browser, path, viewport=None, **options):
    """Open a page; afterwards, fail over anything on the console and any request but for the page."""
    context = browser.new_context(viewport=viewport or WIDE, **options)
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    yield page
    page.wait_for_timeout(50)
    context.close()
    assert [] == said
    assert [path.as_uri()] == [url for url in asked if not url.startswith("data:")]


def first(page: Page, selector: str):
    return page.locator("#table-0").locator(selector)


def test_charts_are_drawn(browser, written):
    """Each table's curves have a length, and every mark lies within the drawing."""
    with reading(browser, written) as page:
        lengths = page.eval_on_selector_all(".canvas .line", "lines => lines.map(line => line.getTotalLength())")
        places = page.eval_on_selector_all(
            ".canvas svg",
            "all => all.map(svg => [svg.viewBox.baseVal.width, svg.viewBox.baseVal.height, ...[...svg.querySelectorAll('circle')].map(c => [c.cx.baseVal.value, c.cy.baseVal.value])])",
        )

        assert 2 * (2 + 3) == len(lengths)
        assert min(lengths) > 50
        for width, height, *circles in places:
            assert len(MODELS) + 2 == len(circles)
            assert all(0 < x < width and 0 < y < height for x, y in circles)


def test_labels_do_not_overlap(browser, written):
    """The names of models are readable at either width."""
    for viewport in (WIDE, NARROW):
        with reading(browser, written, viewport) as page:
            boxes = first(page, ".models text").evaluate_all(
                "all => all.map(text => { const box = text.getBBox(); return [box.x, box.y + 3, box.x + box.width, box.y + box.height - 3]; })"
            )

        crossing = [
            (a, b)
            for n, a in enumerate(boxes)
            for b in boxes[:n]
            if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
        ]

        assert len(MODELS) == len(boxes)
        assert [] == crossing


def test_a_curve_is_hidden_by_its_name_in_the_legend(browser, written):
    """And comes back; the bars of its shares go with it."""
    with reading(browser, written) as page:
        button = first(
            page,
            ".legend button",
        ).filter(has_text="knn")
        counts = []
        for _ in range(2):
            button.click()
            counts.append(
                (
                    first(page, ".canvas .line").count(),
                    first(page, ".mixture .row").count(),
                    button.get_attribute("aria-pressed"),
                )
            )

        assert [(4, 1, "false"), (5, 2, "true")] == counts


def test_a_router_may_be_called_as_a_reference_is(browser, tmp_path):
    """Hiding one of the two leaves the other."""
    with reading(browser, write(tmp_path, report(routers=("oracle", "knn")))) as page:
        before = first(page, ".canvas .line").count()
        first(page, ".legend button").filter(has_text="oracle").first.click()

        assert ["false", "true"] == [
            button.get_attribute("aria-pressed")
            for button in first(page, ".legend button").filter(has_text="oracle").all()
        ]
        assert before - 1 == first(page, ".canvas .line").count()


def test_the_axis_can_be_linear(browser, written):
    """The button moves points, and says what it is."""
    with reading(browser, written) as page:
        button = page.get_by_role("button", name="Logarithmic cost").first
        before = first(page, ".models circle").nth(1).get_attribute("cx")
        button.click()

        assert "false" == button.get_attribute("aria-pressed")
        assert float(before) > float(first(page, ".models circle").nth(1).get_attribute("cx"))


def test_the_dial_marks_the_setting(browser, written):
    """It starts where policies do; turned to the end by keyboard, only the dearest model answers."""
    with reading(browser, written) as page:
        slider, row = first(page, "input[type=range]"), first(page, ".mixture .row").first
        start = (first(page, ".dial output").inner_text(), first(page, ".dialled circle").first.get_attribute("cx"))
        slider.focus()
        page.keyboard.press("End")

        assert "0.70" == start[0]
        assert "1.00" == first(page, ".dial output").inner_text()
        assert float(start[1]) < float(first(page, ".dialled circle").first.get_attribute("cx"))
        assert "100 % model-4" in row.inner_text()
        assert 1 == row.locator("rect").count()


def test_points_tell_their_numbers(browser, written):
    """To the pointer, and to the arrow keys, which a screen reader hears."""
    with reading(browser, written) as page:
        tip = first(page, ".tip")
        assert not tip.is_visible()
        first(page, ".models circle").last.hover()
        assert "model-4" in tip.inner_text()
        first(page, ".canvas").focus()
        page.keyboard.press("ArrowRight")
        assert "quality" in first(page, "[aria-live]").inner_text()
        page.keyboard.press("Escape")
        assert not tip.is_visible()


def test_tables_are_sorted_by_their_heads(browser, written):
    """Best first, then worst first; what routers are held against stays below them."""
    with reading(browser, written) as page:
        head = first(page, ".scores").get_by_role("button", name="AIQ", exact=True)
        orders = []
        for _ in range(2):
            head.click()
            orders.append(
                (
                    head.locator("..").get_attribute("aria-sort"),
                    [text.split("\n")[0] for text in first(page, ".scores tbody th").all_inner_texts()],
                )
            )

        assert ["descending", "ascending"] == [direction for direction, _ in orders]
        assert ["recommended", "knn"] == orders[0][1][:2]
        assert ["knn", "recommended"] == orders[1][1][:2]
        assert "told the task" in orders[1][1][2:]


def test_every_metric_can_be_shown(browser, written):
    """Some columns wait until they are asked for."""
    with reading(browser, written) as page:
        head = page.get_by_role("columnheader", name="Hypervolume").first
        assert not head.is_visible()
        page.get_by_label("Show every metric").first.check()
        assert head.is_visible()


def test_many_curves_are_not_all_shown_at_once(browser, tmp_path):
    """Six at first, and the recommended one whatever its place; the legend has the others."""
    names = (*(f"router-{number}" for number in range(10)), "recommended")
    with reading(browser, write(tmp_path, report(routers=names))) as page:
        shown = first(page, ".mixture .row bdi:first-of-type").all_inner_texts()

        assert [*names[:6], "recommended"] == [name for name in shown if name in names]
        assert len(names) + 4 == first(page, ".legend button").count()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_suffices(browser, written, scheme):
    """Every word can be read, and every curve seen, by day and by night."""
    with reading(browser, written, color_scheme=scheme) as page:
        page.get_by_label("Show every metric").first.check()
        page.locator("summary").first.click()
        found = page.evaluate(CONTRASTS)

        assert len(found["words"]) > 200
        assert [] == [(text[:40], ratio) for text, ratio in found["words"] if ratio < TEXT]
        assert [] == [(name, ratio) for name, ratio in found["curves"] if ratio < GRAPHICS]


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("width", [320, 400, 768])
def test_narrow_pages_do_not_scroll_sideways(browser, long_named, width, scripts):
    """Wide tables scroll by themselves, and long names break."""
    with reading(browser, long_named, {"width": width, "height": 800}, java_script_enabled=scripts) as page:
        # Where scripts are off, the driver can still measure what is laid out.
        edges = [
            box["x"] + box["width"]
            for part in page.locator("body, main, header, main > section, figure, .part, .verdict").all()
            if (box := part.bounding_box())
        ]

        assert max(edges) <= width
        if scripts:
            assert width == page.evaluate("document.documentElement.scrollWidth")


def test_hostile_names_do_not_run(browser, tmp_path):
    """They are seen as they are written, in tables, legend, labels and tips."""
    names = tuple(HOSTILE)
    path = write(tmp_path, report(names[:2], names, names, names))
    with reading(browser, path) as page:
        for button in page.locator(".legend button").all():
            button.click()
            button.click()
        first(page, ".canvas").focus()
        for _ in range(8):
            page.keyboard.press("ArrowRight")
        page.wait_for_timeout(100)

        assert page.evaluate("window.hacked === undefined")
        assert names[0] == page.locator("h2 bdi").first.inner_text()
        assert set(names) <= set(first(page, ".legend bdi").all_text_contents()) | {
            name for name in names if len(name) > 34
        }
        assert 0 == page.locator("main img, main svg[onload]").count()


def test_injected_scripts_are_refused(browser, tmp_path, written):
    """Were a name ever to get through as markup, the page's policy would still not let it run."""
    path = tmp_path / "report.html"
    path.write_text(
        re.sub(
            "<main>", "<main><script>window.hacked=1</script><img src=x onerror=window.hacked=1>", written.read_text()
        )
    )
    context = browser.new_context()
    page = context.new_page()
    page.goto(path.as_uri())

    assert page.evaluate("window.hacked === undefined")
    context.close()


def test_reports_read_without_scripts(browser, written):
    """The pictures stand where the charts were, and the tables are whole."""
    with reading(browser, written, java_script_enabled=False) as page:
        assert 2 == page.locator(".plot img").count()
        assert page.locator(".plot img").first.bounding_box()["height"] > 300
        assert (
            first(page, ".verdict")
            .inner_text()
            .startswith("recommended answers as well as always model-4 at 0.46 of its cost")
        )
        assert 2 + 6 == first(page, ".scores tbody tr").count()


def test_reports_print_in_black_on_white(browser, written):
    """Even from a dark screen; what cannot be used on paper is left out."""
    with reading(browser, written, color_scheme="dark") as page:
        page.emulate_media(media="print", color_scheme="dark")

        assert "rgb(255, 255, 255)" == page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert not first(page, "input[type=range]").is_visible()
        page.set_viewport_size({"width": 1030, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") == 1030
        assert page.pdf().startswith(b"%PDF")


def test_everything_is_reached_by_keyboard(browser, written):
    """Tab goes through links, curves, dial, heads of tables and folded parts."""
    with reading(browser, written) as page:
        reached = set()
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.add(
                page.evaluate("[document.activeElement.tagName, document.activeElement.className].join(' ').trim()")
            )

        assert {"A", "BUTTON", "BUTTON plain", "INPUT", "DIV canvas", "DIV scroll", "SUMMARY"} <= reached

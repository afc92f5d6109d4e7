import io
import re
from decimal import Decimal

from rich.console import Console

from gateway.store.checks import build_decision, build_feedback, build_outcome
from gateway.store.memory import MemoryStore
from gateway.store.rows import rows
from gateway.store.samples import build_planned_outcome
from gateway.store.table import print_log


def printed(*events, width=200):
    """Return the table that events are printed as, as rows of cells."""
    store = MemoryStore()
    store.append(events)
    console = Console(file=io.StringIO(), width=width)
    print_log(rows(store), console)
    # Above the rows are a blank line, the names and a rule; below them is a blank line.
    lines = console.file.getvalue().splitlines()[3:-1]
    return [re.split(r"\s{2,}", line.strip()) for line in lines]


def test_shows_a_request_in_a_line():
    """A line has what one wants to know of a request."""
    feedback = (
        build_feedback("f", 1, kind="score", value=0.75),
        build_feedback("g", 1, kind="binary"),
        build_feedback("h", 1, kind="label", value=None, name="wrong_language"),
    )
    (line,) = printed(build_decision(1), build_outcome(1), *feedback)

    assert line == [
        "01-01 12:00:01",
        "00000000-0000-0000-0000-000000000001",
        "auto",
        "large",
        "0.900",
        "200",
        "812/34",
        "0.00001234",
        "0.250",
        "1.500",
        "score 0.75, binary 1, label wrong_language",
    ]


def test_shows_what_is_unknown_as_such():
    """A dash stands for what is unknown; zero is shown as zero."""
    unfinished, free = printed(
        build_decision(1), build_decision(2), build_outcome(2, cost_usd=Decimal(0), completion_tokens=0)
    )

    assert unfinished[3:] == ["-", "0.900", "-", "-/-", "-", "-", "-"]
    assert free[6:8] == ["812/0", "0"]


def test_shows_how_many_calls_a_plan_made():
    """The answer's own one included."""
    (line,) = printed(build_decision(1), build_planned_outcome(1))

    assert "large (3 calls)" == line[3]


def test_shows_the_error():
    """A request that failed says how."""
    (line,) = printed(build_decision(1), build_outcome(1, status=499, error="client_left"))

    assert line[5] == "499 client_left"


def test_names_are_no_markup():
    """A model named in square brackets is shown as it is called."""
    (line,) = printed(build_decision(1), build_outcome(1, served_by="[red]hot[/]"))

    assert line[3] == "[red]hot[/]"


def test_whole_dollars_keep_their_zeros():
    """Only zeros after the point are left out."""
    (line,) = printed(build_decision(1), build_outcome(1, cost_usd=Decimal(100)))

    assert line[7] == "100"


def test_a_narrow_console_gets_fewer_columns():
    """What matters most fits into a line."""
    (line,) = printed(build_decision(1), build_outcome(1), width=120)

    assert line == ["01-01 12:00:01", "auto", "large", "0.900", "200", "812/34", "0.00001234", "1.500"]

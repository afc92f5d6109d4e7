import ast
from pathlib import Path

import pytest

import routers.plans
from routers.registry import components

FOLDER = Path(routers.plans.__file__).parent
#: Lines of code that a plan may have, those of its documentation not counted.
MOST = 40


def lines_of_code(node, text):
    """Return how many lines of a class are code: neither blank, nor a comment, nor a docstring."""
    documented = {
        line
        for inner in ast.walk(node)
        if isinstance(inner, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(inner)
        for line in range(inner.body[0].lineno, inner.body[0].end_lineno + 1)
    }
    written = {n for n, line in enumerate(text.splitlines(), 1) if line.strip() and not line.strip().startswith("#")}
    return len(written & set(range(node.lineno, node.end_lineno + 1)) - documented)


@pytest.mark.parametrize(
    ("module", "name"),
    [found.removeprefix("routers.plans.").split(":") for found in components("router").values() if ".plans." in found],
)
def test_a_plan_is_short(module, name):
    """Whoever reads it sees at once what it asks, and when it stops."""
    text = (FOLDER / f"{module}.py").read_text()
    (plan,) = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef) and node.name == name]

    assert lines_of_code(plan, text) <= MOST

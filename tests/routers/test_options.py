from collections.abc import Mapping

import pytest

from routers.options import BadOption, Option, check_options, options_of

OPTIONS = (
    Option("rows", "int", required=True),
    Option("scale", "float | None", required=False),
    Option("exact", "bool", required=False, default=False),
    Option("weights", "collections.abc.Mapping[str, float]", required=False),
)


class Annotated:
    """Annotations that are classes, as in a module without the future import."""

    def __init__(self, rows: int, weights: Mapping[str, float], scale: float = 0.5) -> None:
        self.given = rows, weights, scale


def test_options_are_read_from_the_constructor():
    """Name, type and default of each argument, in order."""
    assert (
        Option("rows", "int", required=True),
        Option("weights", "collections.abc.Mapping[str, float]", required=True),
        Option("scale", "float", required=False, default=0.5),
    ) == options_of(Annotated)


@pytest.mark.parametrize(
    ("annotation", "kind", "many"),
    [
        ("Estimator", "estimator", False),
        ("Utility | None", "utility", False),
        ("Sequence[Estimator]", "estimator", True),
        ("collections.abc.Sequence[routers.types.Rule] | None", "rule", True),
        ("Sequence[str]", None, False),
        ("int", None, False),
    ],
)
def test_annotation_names_the_kind(annotation, kind, many):
    """Of a component, or of each in a list."""
    option = Option("part", annotation, required=True)

    assert (kind, many) == (option.kind, option.many)


def test_constructor_without_names_is_refused():
    """Any number of arguments cannot be checked."""
    with pytest.raises(TypeError, match=r"without \* or \*\*"):
        options_of(lambda **options: options)


@pytest.mark.parametrize(
    "given", [{"rows": 1}, {"rows": 1, "scale": 2}, {"rows": 1, "scale": None}, {"rows": 1, "weights": {"a": 1}}]
)
def test_fitting_options_pass(given):
    """A whole number is a float too."""
    check_options(OPTIONS, given, "router")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, r"^router.rows: is required \(int\)$"),
        ({"rows": 1.5}, "^router.rows: must be int, not 1.5$"),
        ({"rows": True}, "^router.rows: must be int, not True$"),
        ({"rows": 1, "scale": "2"}, r"^router.scale: must be float \| None, not '2'$"),
        ({"rows": 1, "exact": 1}, "^router.exact: must be bool, not 1$"),
        ({"rows": 1, "weights": [1]}, r"^router.weights: must be .*Mapping.*, not \[1\]$"),
        ({"rows": 1, "scales": 2}, "^router.scales: unknown option; did you mean 'scale'?"),
        ({"rows": 1, "zzz": 2}, "^router.zzz: unknown option; known are rows, scale, exact, weights$"),
    ],
)
def test_wrong_option_is_named(given, message):
    """With the place, the value and what to write instead."""
    with pytest.raises(BadOption, match=message):
        check_options(OPTIONS, given, "router")

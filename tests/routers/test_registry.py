import sys

import pytest

from routers.costs.mean import Mean
from routers.costs.regression import Regression
from routers.estimating import EstimatingRouter
from routers.estimators.constant import Constant
from routers.estimators.knn import KNN
from routers.options import BadOption, ComponentError, Option, UnknownComponent
from routers.registry import (
    build_costs,
    build_estimator,
    build_router,
    build_rule,
    build_utility,
    component,
    components,
    describe,
)
from routers.rules.floor import Floor
from routers.rules.greedy import Greedy
from routers.utilities.adequate import Adequate
from routers.utilities.linear import Linear

KINDS = ("router", "estimator", "rule", "utility", "costs", "gate")


def plug_in(folder, group, line):
    """Install a distribution that has one entry point, as a folder on the path."""
    info = folder / "plug_in-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plug-in\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[pointsman.{group}]\n{line}\n")


def test_arguments_are_the_configuration():
    """An option becomes the constructor's argument of that name; the others keep their defaults."""
    knn = build_estimator({"type": "knn", "neighbours": 7})

    assert (KNN, 7, 5.0) == (type(knn), knn.neighbours, knn.shrinkage)


def test_router_is_built_with_its_parts():
    """A part is described in place."""
    router = build_router(
        {"type": "estimating", "estimator": {"type": "knn"}, "rule": {"type": "greedy"}, "quality_weight": 0.5}
    )

    assert isinstance(router, EstimatingRouter)
    assert (KNN, Floor, 0.5) == (type(router.estimator), type(router.rule), router.quality_weight)


@pytest.mark.parametrize(("spec", "floor"), [({}, 0.02), ({"floor": 0.1}, 0.1), ({"floor": 1}, 1.0)])
def test_floor_goes_with_any_rule(spec, floor):
    """By default too, so that logs stay usable."""
    rule = build_rule({"type": "greedy"} | spec)

    assert (Floor, Greedy, floor) == (type(rule), type(rule.rule), rule.floor)


def test_floor_of_zero_is_none():
    """The rule alone."""
    assert Greedy is type(build_rule({"type": "greedy", "floor": 0}))


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        (
            {},
            BadOption,
            "^router.type: must name one of agent, .*, zero, not None$",
        ),
        ({"type": "fixt"}, UnknownComponent, "^router.type: unknown router 'fixt'; did you mean 'fixed'?"),
        ({"type": "zzz-"}, UnknownComponent, "unknown router 'zzz-'; known are agent, .*, zero$"),
        ({"type": "fixed"}, BadOption, r"^router.model: is required \(str\)$"),
        ({"type": "fixed", "model": 3}, BadOption, "^router.model: must be str, not 3$"),
        ({"type": "random", "seed": 3}, BadOption, "^router.seed: unknown option; there are none$"),
        ({"type": "weighted", "weights": {"a": -1}}, BadOption, "^router: weights must be .*'a': -1"),
        (
            {"type": "estimating", "estimator": "knn", "rule": {}},
            BadOption,
            "^router.estimator: must be a mapping with 'type', not 'knn'$",
        ),
        (
            {"type": "estimating", "estimator": {"type": "knn", "neighbors": 4}, "rule": {"type": "greedy"}},
            BadOption,
            "^router.estimator.neighbors: unknown option; did you mean 'neighbours'?",
        ),
        (
            {"type": "estimating", "estimator": {"type": "knn"}, "rule": {"type": "greedy", "floor": 2}},
            BadOption,
            "^router.rule: floor=2.0 must be a probability$",
        ),
    ],
)
def test_error_says_where_and_what_instead(spec, error, message):
    """The path is that of the configuration's keys."""
    with pytest.raises(error, match=message):
        build_router(spec)


def test_optional_parts_are_built_or_left_out():
    """A utility and costs may be described, and need not be."""
    spec = {"type": "estimating", "estimator": {"type": "knn"}, "rule": {"type": "greedy"}}
    plain = build_router(spec | {"utility": None})
    router = build_router(spec | {"utility": {"type": "adequate", "slack": 0.1}, "costs": {"type": "regression"}})

    assert (Linear, Mean) == (type(plain.utility), type(plain.costs))
    assert (Adequate, 0.1, Regression) == (type(router.utility), router.utility.slack, type(router.costs))


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"utility": "linear"}, "^router.utility: must be a mapping with 'type', not 'linear'$"),
        ({"utility": {"type": "adequate", "slack": 2}}, "^router.utility: slack=2 must lie between 0 and 1$"),
        (
            {"costs": {"type": "mode"}},
            "^router.costs.type: unknown costs 'mode'; known are energy, mean, regression, running$",
        ),
    ],
)
def test_error_in_an_optional_part_says_where(part, message):
    """As in any other part."""
    with pytest.raises(ComponentError, match=message):
        build_router({"type": "estimating", "estimator": {"type": "knn"}, "rule": {"type": "greedy"}} | part)


def test_utilities_and_costs_are_built_alone():
    """By their own builders."""
    assert (Adequate, Regression) == (
        type(build_utility({"type": "adequate"})),
        type(build_costs({"type": "regression"})),
    )


PANEL = """
from collections.abc import Sequence
from routers.types import Estimator

class Panel:
    def __init__(self, members: Sequence[Estimator], weight: float = 1.0) -> None:
        self.members = members
"""


@pytest.fixture
def panel(tmp_path, monkeypatch):
    """Install an estimator that is made of others."""
    plug_in(tmp_path, "estimators", "panel = panel_estimator:Panel")
    (tmp_path / "panel_estimator.py").write_text(PANEL)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("panel_estimator", None)


@pytest.mark.usefixtures("panel")
def test_list_of_components_is_built():
    """In the order written."""
    built = build_estimator({"type": "panel", "members": [{"type": "constant"}, {"type": "knn", "neighbours": 7}]})

    assert [Constant, KNN] == [type(member) for member in built.members]
    assert 7 == built.members[1].neighbours


@pytest.mark.usefixtures("panel")
@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"type": "knn"}, r"^estimator.members: must be a list of mappings with 'type', not "),
        ([{"type": "knn"}, "knn"], r"^estimator.members\[1\]: must be a mapping with 'type', not 'knn'$"),
        ([{"type": "knn"}, {"type": "knm"}], r"^estimator.members\[1\].type: unknown estimator 'knm'"),
        ([{"type": "knn", "neighbours": "x"}], r"^estimator.members\[0\].neighbours: must be int, not 'x'$"),
        ([{"type": "knn", "neighbours": 0}], r"^estimator.members\[0\]: neighbours=0 "),
    ],
)
def test_error_in_a_list_says_which(members, message):
    """Counted from zero, as in JSON's paths."""
    with pytest.raises(ComponentError, match=message):
        build_estimator({"type": "panel", "members": members})


def test_error_carries_its_path():
    """So that a loader finds the line."""
    with pytest.raises(ComponentError) as caught:
        build_estimator({"type": "knn", "power": "high"}, "router.estimator")

    assert ("router.estimator.power", "must be float, not 'high'") == (caught.value.path, caught.value.problem)


def test_entry_point_adds_a_component(tmp_path, monkeypatch):
    """Another distribution's rule is built like ours."""
    plug_in(tmp_path, "rules", "flat = flat_rule:Flat")
    (tmp_path / "flat_rule.py").write_text(
        "class Flat:\n    def __init__(self, height: int = 1):\n        self.height = height\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    rule = build_rule({"type": "flat", "height": 3, "floor": 0})

    assert ("Flat", 3) == (type(rule).__name__, rule.height)
    assert "flat" in components("rule")


@pytest.mark.parametrize(("group", "kind"), [("utilities", "utility"), ("costs", "costs")])
def test_entry_points_are_in_the_plural(tmp_path, monkeypatch, group, kind):
    """One group for each kind."""
    plug_in(tmp_path, group, "mine = my_module:Mine")
    monkeypatch.syspath_prepend(tmp_path)

    assert "my_module:Mine" == components(kind)["mine"]


@pytest.mark.parametrize("target", ["no_such_module:Flat", "math:NoSuchRule"])
def test_entry_point_that_leads_nowhere_is_named(tmp_path, monkeypatch, target):
    """With its target and the reason."""
    plug_in(tmp_path, "rules", f"flat = {target}")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ComponentError, match=f"rule 'flat' cannot be loaded from {target}: "):
        component("rule", "flat")


def test_entry_point_cannot_take_a_known_name(tmp_path, monkeypatch):
    """What 'greedy' means does not depend on what is installed."""
    plug_in(tmp_path, "rules", "greedy = flat_rule:Flat")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ComponentError, match=r"'greedy' is routers\.rules\.greedy:Greedy already"):
        components("rule")


@pytest.mark.parametrize("kind", KINDS)
def test_every_component_loads_and_describes_its_options(kind):
    """Each has a type for every option, which is what a schema is made of."""
    described = describe(kind)

    assert components(kind).keys() == described.keys()
    assert all(option.type for options in described.values() for option in options)


def test_description_has_types_and_defaults():
    """A rule's floor, and what floors take together, are among its options."""
    assert (
        Option("epsilon", "float", required=False, default=0.05),
        Option("floor", "float", required=False, default=0.02),
        Option("total", "float | None", required=False, default=0.1),
    ) == describe("rule")["epsilon"]

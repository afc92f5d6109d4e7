import pytest

from gateway.evaluation.problem import EvaluationError
from gateway.tuning.setting import Setting, Try, settings_of
from gateway.tuning.space import GRIDS, QUICK
from routers.registry import BUILT_IN, describe


def labels(*names, tries=(), most=None):
    return [one.label for one in settings_of(names, [Try.parse(text) for text in tries], most)]


def test_every_estimator_has_a_grid():
    """None is left out of `all` by being forgotten."""
    assert BUILT_IN["estimator"].keys() == GRIDS.keys()
    assert set(QUICK) <= GRIDS.keys()


@pytest.mark.parametrize("name", GRIDS)
def test_every_grid_is_small_and_can_be_built(name):
    """Its options are the estimator's, and each combination is one that the estimator accepts."""
    settings = settings_of([name], [])

    assert GRIDS[name].keys() <= {option.name for option in describe("estimator")[name]}
    assert 1 <= len(settings) <= 16
    assert len(settings) == len({one.label for one in settings})


def test_combinations_come_the_simplest_first():
    """The fewer steps away from the first values, the simpler; of equals, the first option's step comes last."""
    expected = [
        "{type: knn, neighbours: 200, shrinkage: 20}",
        "{type: knn, neighbours: 200, shrinkage: 5}",
        "{type: knn, neighbours: 40, shrinkage: 20}",
        "{type: knn, neighbours: 40, shrinkage: 5}",
    ]

    assert expected == labels("knn", tries=["knn.neighbours=40,200", "knn.shrinkage=5,20"])


def test_simpler_estimators_come_first():
    """Whatever the order in which they were named."""
    settings = settings_of(["knn", "task", "knn"], [])

    assert ["task", "knn"] == list(dict.fromkeys(one.estimator for one in settings))
    assert sorted(one.rank for one in settings) == [one.rank for one in settings]


def test_all_is_every_estimator_that_can_be_built():
    """Also those that wrap others, whose grids say what they wrap."""
    assert list(GRIDS) == list(dict.fromkeys(one.estimator for one in settings_of(["all"], [])))


def test_values_may_be_given_for_every_estimator_that_has_the_option():
    """Those that have none keep their grids."""
    found = settings_of(["knn", "graph", "ridge"], [Try.parse("estimator.neighbours=7")])

    assert {"knn": {7}, "graph": {7}, "ridge": {None}} == {
        name: {one.options.get("neighbours") for one in found if one.estimator == name}
        for name in ("knn", "graph", "ridge")
    }


def test_values_are_yaml():
    """Null, texts and whole specifications can be tried."""
    assert ["{type: ridge, alpha: null}", "{type: ridge, alpha: 2.5}"] == labels(
        "ridge", tries=["ridge.alpha=null,2.5"]
    )
    assert ["{type: ensemble, members: [{type: ridge}]}"] == labels(
        "ensemble", tries=["ensemble.members=[{type: ridge}]"]
    )


def test_an_option_without_a_grid_can_be_tried():
    """Values of another kind than numbers stay in the order in which they were written."""
    found = settings_of(["cluster"], [Try.parse("cluster.ranking=true,false"), Try.parse("cluster.clusters=8")])

    assert [(3, True), (3, False), (1, True), (1, False)] == sorted(
        ((one.options["nearest"], one.options["ranking"]) for one in found), reverse=True
    )


def test_a_budget_is_shared_by_the_estimators():
    """Each has as many settings as the next, and the same are drawn each time."""
    few = settings_of(["knn", "ridge", "constant"], [], 6)

    assert few == settings_of(["knn", "ridge", "constant"], [], 6)
    assert ["constant", "ridge", "ridge", "ridge", "knn", "knn"] == [one.estimator for one in few]
    assert set(labels("knn")) > {one.label for one in few if one.estimator == "knn"}
    assert labels("knn") == labels("knn", most=12)


def test_the_router_that_is_judged_leaves_nothing_to_chance():
    """It learns costs, as `pointsman evaluate` has it."""
    expected = {
        "type": "estimating",
        "estimator": {"type": "knn", "neighbours": 3},
        "costs": {"type": "regression"},
        "rule": {"type": "greedy", "floor": 0},
    }

    assert expected == Setting("knn", {"neighbours": 3}, ()).spec


@pytest.mark.parametrize(
    ("name", "tries", "most", "said"),
    [
        ("knm", [], None, "--router: no estimator 'knm'; did you mean 'knn'?"),
        ("knn", ["knn"], None, "--try: 'knn' must have the form"),
        ("knn", ["knn.neighbours="], None, "must have the form"),
        ("knn", ["knn.neighbours=[1"], None, "are no YAML"),
        ("knn", ["ridge.alpha=1"], None, "--try: 'ridge' is not tuned"),
        ("knn", ["knn.neighbors=1"], None, "no option 'neighbors'; did you mean 'neighbours'?"),
        ("knn", ["knn.neighbours=0"], None, "--try: {type: knn, neighbours: 0, shrinkage: 20}: "),
        ("knn", ["knn.neighbours=many"], None, "must be int, not 'many'"),
        ("all", [], 3, "--budget-trials: 3 is less than one for each of"),
    ],
)
def test_what_cannot_be_is_refused(name, tries, most, said):
    """The message names the option, the value and the remedy."""
    with pytest.raises(EvaluationError) as refused:
        labels(name, tries=tries, most=most)

    assert said in str(refused.value)

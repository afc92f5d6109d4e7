from __future__ import annotations

import pytest

from gateway.config.files import read_files
from gateway.evaluation.names import GREEDY, named_routers, seeded
from gateway.evaluation.problem import EvaluationError
from routers.estimating import EstimatingRouter
from routers.random_choice import RandomChoice

POLICY = (
    "name: {name}\nrouter: {{type: estimating, estimator: {{type: knn, neighbours: {k}}}, rule: {{type: thompson}}}}\n"
)


def names(*written, files=None):
    return named_routers(written, files, {})


def test_an_estimator_is_combined_with_the_greedy_rule():
    """Nothing is left to chance, and each estimator is built as it is configured by default."""
    (named,) = names("knn")

    assert ("knn", GREEDY) == (named.name, named.spec["rule"])
    assert isinstance(named.build(), EstimatingRouter)


def test_a_router_is_itself():
    """One that needs no option."""
    assert isinstance(names("random")[0].build(), RandomChoice)


def test_all_are_all_that_need_no_option():
    """No router that is made of others, and each name once."""
    found = [named.name for named in names("all", "knn")]

    assert {"knn", "constant", "random"} <= set(found)
    assert not {"fixed", "weighted", "estimating"} & set(found)
    assert len(set(found)) == len(found)


def test_a_policy_is_named_by_its_file(tmp_path):
    """Of a configuration, or by itself."""
    path = tmp_path / "mine.yaml"
    path.write_text(POLICY.format(name="mine", k=7))
    (tmp_path / "gateway.yaml").write_text(
        "providers: {p: {vendor: vllm}}\nmodels: {a: {provider: p}}\npolicies: [mine.yaml]\n"
    )
    files = read_files(tmp_path / "gateway.yaml", {})

    assert names(str(path)) == names("mine", files=files) == names("mine", str(path), files=files)
    assert 7 == names(str(path))[0].build().estimator.neighbours


def test_two_routers_of_one_name_are_refused(tmp_path):
    """The report could not tell them apart."""
    paths = [tmp_path / "one.yaml", tmp_path / "two.yaml"]
    for k, path in enumerate(paths, 1):
        path.write_text(POLICY.format(name="same", k=k))

    with pytest.raises(EvaluationError, match="two different routers are called 'same'"):
        names(*map(str, paths))


def test_an_unknown_name_is_an_error_with_a_hint():
    """Whatever it was meant to be."""
    with pytest.raises(EvaluationError, match=r"--router: no estimator, router or policy 'kmn'; did you mean 'knn'\?"):
        names("kmn")


def test_a_router_that_needs_options_says_which():
    """A policy can give them."""
    with pytest.raises(EvaluationError, match=r"'fixed': router\.model: is required"):
        names("fixed")[0].build()


def test_seeds_reach_every_part_that_has_one():
    """And what has none stays as it is written."""
    spec = {"type": "estimating", "estimator": {"type": "knn"}, "rule": {"type": "thompson", "floor": 0.1}}

    expected = {**spec, "rule": {"type": "thompson", "floor": 0.1, "seed": 3}}
    assert expected == seeded(spec, 3)
    assert {"type": "random"} == seeded({"type": "random"}, 3)

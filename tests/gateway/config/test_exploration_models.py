import pytest
import yaml

from gateway.config.candidates import build_candidates
from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from gateway.config.policies import build_policies
from gateway.exploration.rules import ExplorationRules
from routers.types import Joules

GATEWAY = {
    "providers": {"here": {"vendor": "vllm"}},
    "models": {
        "metered": {"provider": "here", "energy_j_per_token": {"input": 0.1, "output": 2}},
        "even": {"provider": "here", "energy_j_per_token": 3},
        "unmetered": {"provider": "here"},
    },
    "policies": ["p.yaml"],
}
POLICY = "name: p\nrouter: {type: random}\n"


def files(folder, policy=POLICY, gateway=GATEWAY):
    (folder / "p.yaml").write_text(policy)
    (folder / "gateway.yaml").write_text(yaml.safe_dump(gateway))
    return read_files(folder / "gateway.yaml", {})


@pytest.mark.parametrize(
    ("written", "rules"),
    [
        ("", ExplorationRules()),
        ("exploration: {enabled: false}\n", ExplorationRules(enabled=False)),
        ("exploration: {max_usd_per_day: 0.5}\n", ExplorationRules(max_usd_per_day=0.5)),
    ],
)
def test_rules_are_built_as_written(tmp_path, written, rules):
    """By default routers explore, and nothing bounds what it costs."""
    assert rules == build_policies(files(tmp_path, POLICY + written), None).policies["p"].exploration


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("exploration: {max_usd_per_day: -1}\n", "p.yaml:3: exploration.max_usd_per_day: .* not -1"),
        ("exploration: {max_usd: 1}\n", "p.yaml:3: exploration.max_usd: unknown option"),
        ("exploration: {enabled: perhaps}\n", "p.yaml:3: exploration.enabled: .*'perhaps'"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path, written, said):
    """A bound that is none would bound nothing."""
    with pytest.raises(ConfigError, match=said):
        files(tmp_path, POLICY + written)


def test_energy_is_a_column_of_the_models(tmp_path):
    """One number stands for prompt and completion; without any it is unknown."""
    candidates = build_candidates(files(tmp_path).config)

    assert {"metered": Joules(0.1, 2.0), "even": Joules(3.0, 3.0), "unmetered": None} == {
        name: candidate.joules for name, (candidate, _) in candidates.items()
    }


def test_a_negative_energy_is_refused(tmp_path):
    """Nothing gives energy back."""
    models = {"m": {"provider": "here", "energy_j_per_token": -1}}

    with pytest.raises(ConfigError, match="energy_j_per_token"):
        files(tmp_path, gateway=GATEWAY | {"models": models})

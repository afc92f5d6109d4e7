import pytest
import yaml

from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from gateway.config.policies import build_policies
from gateway.hedging.rules import HedgeRules

GATEWAY = {"providers": {"here": {"vendor": "vllm"}}, "models": {"m": {"provider": "here"}}, "policies": ["p.yaml"]}
POLICY = "name: p\nrouter: {type: random}\n"


def files(folder, policy):
    (folder / "p.yaml").write_text(policy)
    (folder / "gateway.yaml").write_text(yaml.safe_dump(GATEWAY))
    return read_files(folder / "gateway.yaml", {})


@pytest.mark.parametrize(
    ("written", "rules"),
    [
        ("", None),
        ("hedge: {}\n", HedgeRules(percentile=95.0, max_share=0.05, max_usd_per_day=None)),
        ("hedge: {percentile: 99, max_share: 0.01}\n", HedgeRules(99.0, 0.01)),
        ("hedge: {max_usd_per_day: 2.5}\n", HedgeRules(max_usd_per_day=2.5)),
    ],
)
def test_rules_are_built_as_written(tmp_path, written, rules):
    """By default nothing is hedged; where it is, rarely."""
    assert rules == build_policies(files(tmp_path, POLICY + written), None).policies["p"].hedge


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("hedge: {percentile: 100}\n", "p.yaml:3: hedge.percentile: .*100"),
        ("hedge: {percentile: 20}\n", "p.yaml:3: hedge.percentile: .*20"),
        ("hedge: {max_share: 0}\n", "p.yaml:3: hedge.max_share: .*0"),
        ("hedge: {max_share: 1.5}\n", r"p.yaml:3: hedge.max_share: .*1\.5"),
        ("hedge: {max_usd_per_day: -1}\n", "p.yaml:3: hedge.max_usd_per_day: .*-1"),
        ("hedge: {after_s: 1}\n", "p.yaml:3: hedge.after_s: unknown option"),
        ("hedge: true\n", "p.yaml:3: hedge"),
        ("keep_alive_s: 0\n", "p.yaml:3: keep_alive_s: .*0"),
        ("keep_alive_s: often\n", "p.yaml:3: keep_alive_s: .*often"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path, written, said):
    """A guard that is none would guard nothing."""
    with pytest.raises(ConfigError, match=said):
        files(tmp_path, POLICY + written)


@pytest.mark.parametrize(("written", "seconds"), [("", None), ("keep_alive_s: 15\n", 15.0)])
def test_comments_are_off_by_default(tmp_path, written, seconds):
    """An error that comes late could not keep its status."""
    assert seconds == build_policies(files(tmp_path, POLICY + written), None).policies["p"].keep_alive_s

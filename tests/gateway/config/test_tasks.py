from decimal import Decimal

import pytest

from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from gateway.config.policies import build_policies
from gateway.tasks.task import TaskRules

GATEWAY = """\
providers:
  here: {vendor: vllm}
models:
  small: {provider: here, price: {input: 1, output: 2}}
  large: {provider: here, price: {input: 1, output: 2}}
policies: [p.yaml]
"""
POLICY = """\
name: p
router: {type: agent, small: small, large: large}
stickiness: {tool_loop: false, session: false}
task: {max_usd: 0.5, step_tokens: 100, when_spent: cheapest, cheaper_from: 0.8}
"""


def read(folder, old="", new=""):
    assert not old or old in POLICY
    (folder / "gateway.yaml").write_text(GATEWAY)
    (folder / "p.yaml").write_text(POLICY.replace(old, new) if old else POLICY)
    return read_files(folder / "gateway.yaml", {})


def test_what_is_written_becomes_rules(tmp_path):
    """Money is exact."""
    found = build_policies(read(tmp_path), None).policies["p"].task

    assert TaskRules(Decimal("0.5"), 100, "cheapest", 0.8) == found


def test_without_the_section_a_session_may_cost_any_sum(tmp_path):
    """Nothing is counted for it."""
    files = read(tmp_path, POLICY.splitlines()[3] + "\n", "")

    assert build_policies(files, None).policies["p"].task is None


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("max_usd: 0.5, ", "", r"p.yaml:4: task.max_usd: is missing"),
        ("0.5", "0", r"p.yaml:4: task.max_usd: .*greater than 0"),
        ("0.5", "0.0000000001", r"p.yaml:4: task.max_usd: .*9 decimal places"),
        ("100", "0", r"p.yaml:4: task.step_tokens: "),
        ("when_spent: cheapest", "when_spent: hope", r"p.yaml:4: task.when_spent: .*'refuse' or 'cheapest'"),
        ("0.8", "1", r"p.yaml:4: task.cheaper_from: "),
        ("max_usd", "max_eur", r"p.yaml:4: task.max_eur: unknown option"),
        ("tool_loop: false, ", "", r"p.yaml:2: .*keeps the first choice \(tool_loop\): write stickiness: \{tool_loop"),
        ("stickiness: {tool_loop: false, session: false}", "", r"p.yaml:2: .*\(tool_loop, session\)"),
        ("large: large", "large: huge", r"p.yaml:2: .*'huge' is not in the pool"),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path, old, new, problem):
    """At start-up, with file and line, and what to write instead."""
    with pytest.raises(ConfigError, match=problem):
        build_policies(read(tmp_path, old, new), None)

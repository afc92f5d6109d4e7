from __future__ import annotations

import pytest

from gateway.checking.check import check
from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from gateway.config.policies import build_policies
from gateway.promotion.types import Limit, Stage
from gateway.rehearsal import open_decider

GATEWAY = """\
providers:
  here: {vendor: vllm}
models:
  small: {provider: here, price: {input: 1, output: 2}}
  large: {provider: here, price: {input: 1, output: 2}}
policies: [live.yaml, next.yaml]
"""
LIVE = """\
name: live
router: {type: fixed, model: small}
promotion:
  candidate: next
  stages: [shadow, {canary: 5%}, {ramp: [0.25, 0.5]}, live]
  tests:
    errors: {higher_by: 2%}
    cost: {higher_by: 10%, tolerated: 0.05}
"""
NEXT = """\
name: next
router: {type: fixed, model: large}
"""


def read(folder, live=LIVE, candidate=NEXT):
    (folder / "gateway.yaml").write_text(GATEWAY)
    (folder / "live.yaml").write_text(live)
    (folder / "next.yaml").write_text(candidate)
    return read_files(folder / "gateway.yaml", {})


def rules(folder, *texts):
    return build_policies(read(folder, *texts), None).policies["live"].promotion


def test_what_is_written_becomes_rules(tmp_path):
    """Percent are parts, and a ramp is as many stages as it has shares."""
    found = rules(tmp_path)

    shares = ("shadow", 0.0), ("canary", 0.05), ("ramp", 0.25), ("ramp", 0.5), ("live", 1.0)
    assert tuple(Stage(state, share) for state, share in shares) == found.stages
    assert (Limit("errors", 0.02), Limit("cost", 0.1, 0.05)) == found.limits
    assert ("live", "next") == (found.policy, found.candidate)
    assert found.widest == 0.5


def test_a_version_is_what_is_written_of_it(tmp_path):
    """Another text is another version, also of a policy that it leads to; what it has learned, and the live one, not."""
    leads = NEXT + "rules: [{name: r, policy: live}]\n"
    first = rules(tmp_path).version

    assert first.startswith("next@")
    assert first == rules(tmp_path, LIVE.replace("5%", "6%")).version
    assert first != rules(tmp_path, LIVE, NEXT.replace("large", "small")).version
    assert rules(tmp_path, LIVE, leads).version != rules(tmp_path, LIVE.replace("small", "large"), leads).version


def test_the_candidate_decides_under_the_name_of_the_policy(tmp_path):
    """Sessions, quotas and the log know one policy."""
    policies = build_policies(read(tmp_path), None)
    candidate = policies.candidate_of(policies.policies["live"])

    assert ("live", policies.policies["next"].digest) == (candidate.name, candidate.digest)
    assert policies.candidate_of(policies.policies["next"]) is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("candidate: next", "candidate: nxt", "live.yaml:4: promotion.candidate: no policy 'nxt'; did you mean 'next'?"),
        ("candidate: next", "candidate: live", "live.yaml:4: promotion.candidate: 'live' cannot take its own place"),
        ("[0.25, 0.5]", "[0.5, 0.25]", "live.yaml:5: promotion.stages: Value error, the shares of the stages have to rise"),
        ("canary: 5%", "canary: 0", "live.yaml:5: promotion.stages.1.canary: Input should be greater than 0"),
        ("canary: 5%", "canary: 120%", "live.yaml:5: promotion.stages.1.canary: Input should be less than or equal to 1"),
        ("[0.25, 0.5]}, live]", "100%}]", "live.yaml:5: promotion.stages: Value error, all of the traffic is `live`"),
        ("[shadow, ", "[live, ", "`live` can only be the last of the stages"),
        (", live]", ", shadow]", "`shadow` can only be the first of the stages"),
        ("tolerated: 0.05", "tolerated: 0.1", "`tolerated` 0.1 has to be below `higher_by` 0.1"),
        ("errors: {higher_by: 2%}", "error: {higher_by: 2%}", "did you mean 'errors'?"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(tmp_path, old, new, said):
    """With file, line and remedy."""
    with pytest.raises(ConfigError) as caught:
        rules(tmp_path, LIVE.replace(old, new))

    assert said in str(caught.value)


def test_a_candidate_has_no_candidate(tmp_path):
    """One after the other: so there are no circles either."""
    with pytest.raises(ConfigError, match="has a candidate of its own"):
        rules(tmp_path, LIVE, NEXT + "promotion: {candidate: live}\n")


async def test_tests_that_cannot_decide_in_time_are_warned_about(tmp_path):
    """A small margin takes many requests."""
    found = []
    for within in ("1000", "1000000"):
        files = read(tmp_path, f"{LIVE}  within: {within}\n")
        async with open_decider(files, 100) as decider:
            found.append([str(one) for one in check(files, decider) if "promotion" in str(one)])

    (warned,), silent = found
    assert "live.yaml:9: promotion.within: warning: 1000 requests may not show whether cost" in warned
    assert [] == silent

from __future__ import annotations

import asyncio

import pytest
import yaml

from gateway.checking.check import check
from gateway.checking.facts import facts_of
from gateway.checking.rules import comparable
from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from gateway.rehearsal import open_decider
from gateway.rules.parse import parse_condition
from gateway.rules.ruleset import Rule
from gateway.signals.base import Kind

PRICE = {"input": 1, "output": 2}
MODELS = {
    "small": {"provider": "up", "price": PRICE, "context_window": 8000},
    "large": {"provider": "up", "price": PRICE, "context_window": 8000},
}


def write(folder, rules=(), *, sections=None, others=None, **policy):
    """Write a gateway with the policy `auto`; return its file."""
    written = {"name": "auto", "router": {"type": "cheapest"}, "rules": list(rules), **policy}
    for name, one in {"auto": written, **(others or {})}.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({"name": name, **one}, sort_keys=False))
    gateway = {
        "providers": {"up": {"vendor": "openai-compatible", "base_url": "http://127.0.0.1:9/v1"}},
        "models": MODELS,
        "policies": [f"{name}.yaml" for name in ("auto", *(others or ()))],
        **(sections or {}),
    }
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump(gateway, sort_keys=False))
    return path


def findings(path):
    """Return what `check` finds, with files by their names alone."""

    async def found():
        files = read_files(path, {})
        async with open_decider(files, 1000.0) as decider:
            return [str(finding).replace(f"{path.parent}/", "") for finding in check(files, decider)]

    return asyncio.run(found())


def messages(path):
    """Return the findings without file and line."""
    return [finding.split(": ", 1)[1] for finding in findings(path)]


def test_a_good_configuration_has_no_finding(tmp_path):
    """Rules that count, models that answer, prices that are known."""
    rules = [{"name": "long", "when": {"prompt_tokens": {"above": 100}}, "pool": ["large"]}]

    assert [] == findings(write(tmp_path, rules))


def test_a_finding_has_a_file_and_a_line(tmp_path):
    """As errors have, with the word that tells them apart."""
    path = write(tmp_path, [{"name": "sure", "when": {"language.confidence": {"above": 2}}}])
    line = 1 + (tmp_path / "auto.yaml").read_text().splitlines().index("- name: sure")

    assert [
        f"auto.yaml:{line}: rules.0: warning: the rule 'sure' can never hold: its conditions contradict each other"
    ] == findings(path)


@pytest.mark.parametrize(
    "when",
    [
        {"language.ood": {"below": 0}},
        {"difficulty": {"above": 1}},
        {"safety.jailbreak": {"at_least": 1.5}},
        {"time.hour": {"above": 24}},
        {"turns": {"below": 0}},
        {"prompt_tokens": {"present": False}},
        {"needs": {"empty": True, "any_of": ["tools"]}},
    ],
)
def test_a_rule_that_contradicts_what_is_known_of_signals_is_found(tmp_path, when):
    """Probabilities are between 0 and 1, counts are not negative, and what every request has is not absent."""
    (message,) = messages(write(tmp_path, [{"name": "r", "when": when}]))

    assert message == "rules.0: warning: the rule 'r' can never hold: its conditions contradict each other"


def test_a_default_widens_what_a_feature_may_be(tmp_path):
    """With -1 for 'not known', asking for less than 0 makes sense."""
    rules = [{"name": "r", "when": {"difficulty": {"below": 0}}}]

    assert [] == findings(write(tmp_path, rules, defaults={"difficulty": -1}))


def test_a_rule_that_others_take_before_it_is_found(tmp_path):
    """In the order of priorities, not of the file."""
    rules = [
        {"name": "narrow", "when": {"turns": {"above": 9}}, "tag": "a"},
        {"name": "wide", "when": {"turns": {"above": 5}}, "priority": 1, "tag": "b"},
    ]

    assert [
        "rules.0: warning: the rule 'narrow' is never reached: all that it would match is matched before by 'wide'"
    ] == messages(write(tmp_path, rules))


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ({"keywords": "greting"}, "keywords: warning: keywords never holds 'greting'; did you mean 'greeting'?"),
        ({"time.windows": ["night"]}, "time.windows: warning: time.windows never holds 'night'; did you mean 'nights'?"),
        ({"time.weekday": "monday"}, "time.weekday: warning: time.weekday is never 'monday'; did you mean 'mon'?"),
        ({"pii": {"none_of": ["mail"]}}, "pii: warning: pii never holds 'mail'; did you mean 'email'?"),
        ({"needs": ["visio"]}, "needs: warning: needs never holds 'visio'; did you mean 'vision'?"),
        ({"role": "amin"}, "role: warning: role is never 'amin'; did you mean 'admin'?"),
        ({"caller": "ben"}, "caller: warning: caller is never 'ben'; known: ann"),
        ({"team": "red"}, "team: warning: team is never 'red'; there are none under the teams under callers"),
        ({"domain": "coding"}, "domain: warning: domain is never 'coding'; did you mean 'cooking'?"),
        ({"language": "english"}, "language: warning: language is never 'english': it is two small letters, as en (ISO 639-1)"),
    ],
)  # fmt: skip
def test_a_value_that_never_comes_is_found(tmp_path, when, message):
    """Names of lists, windows, classes and callers that there are not; that the rule never holds is not said again."""
    sections = {
        "signals": {
            "keywords": {"greeting": {"any": ["hello"]}},
            "time": {"windows": {"nights": {"opens": "22:00", "closes": "06:00"}}},
            "domain": {"classes": {name: {"examples": [f"{name} one", f"{name} two"]} for name in ("cooking", "travel")}},
        },
        "callers": {"ann": {"key": "secret", "role": "admin"}},
    }  # fmt: skip

    assert [f"rules.0.when.{message}"] == messages(write(tmp_path, [{"name": "r", "when": when}], sections=sections))


@pytest.mark.parametrize("section", [{"keys": {}}, {"jwt": {"issuer": "https://login.example", "audience": "a"}}])
def test_of_virtual_keys_and_tokens_nobody_knows_what_they_come_with(tmp_path, section):
    """Any name, role, team and tag may come."""
    rules = [
        {"name": feature, "when": {feature: "any"}, "tag": "a"} for feature in ("caller", "role", "team", "caller.tags")
    ]

    assert [] == messages(write(tmp_path, rules, sections=section))


def test_values_that_do_come_are_not_found(tmp_path):
    """Also `other`, which no class is called."""
    rules = [
        {"name": "other", "when": {"domain": ["other", "law"]}, "tag": "a"},
        {"name": "day", "when": {"time.weekday": ["sat", "sun"], "pii": "email", "needs": "vision"}, "tag": "b"},
    ]

    assert [] == findings(write(tmp_path, rules))


def test_a_header_that_rules_are_not_shown_is_found(tmp_path):
    """In rules and in projections."""
    projections = {"p": {"partition": {"a": {"when": {"header.x-tier": "gold"}}}, "otherwise": "b"}}
    projections["p"]["partition"]["b"] = {"when": {"turns": 99}}
    rules = [
        {"name": "r", "when": {"header.x-tenant": "a"}, "tag": "a"},
        {"name": "p", "when": {"p": "a"}, "tag": "b"},
    ]
    path = write(
        tmp_path, rules, projections=projections, sections={"signals": {"metadata": {"headers": ["X-Tenant"]}}}
    )

    assert [
        (
            "projections.p: warning: header.x-tier is never known: "
            "write 'x-tier' under signals.metadata.headers (lower case)"
        )
    ] == messages(path)


def test_a_model_that_nobody_comes_to_is_found(tmp_path):
    """A rule that is dead, a fixed choice and a list of fallbacks leave models out."""
    rules = [{"name": "dead", "when": {"difficulty": {"above": 3}}, "pool": ["large"]}]
    path = write(tmp_path, rules, pool=["small"])

    assert (
        "models.large: warning: no policy can come to this model: it answers only where it is asked for by name"
        in messages(path)
    )


def test_a_model_that_is_a_fallback_is_come_to(tmp_path):
    """Of a fixed choice, the rest of the pool is there for failures."""
    fixed = {"router": {"type": "fixed", "model": "small"}}

    assert [] == messages(write(tmp_path, **fixed))
    assert ["models.large"] == [
        one.partition(":")[0] for one in messages(write(tmp_path, **fixed, limits={"attempts": 1}))
    ]


def test_a_policy_that_only_dead_rules_lead_to_is_found(tmp_path):
    """Clients may still name it."""
    rules = [{"name": "dead", "when": {"difficulty": {"above": 3}}, "policy": "careful"}]
    path = write(tmp_path, rules, others={"careful": {"router": {"type": "cheapest"}}})

    assert "rules.0.policy: warning: only rules that never count lead to the policy 'careful'" in messages(path)


def test_a_default_that_nothing_reads_is_found(tmp_path):
    """One that a projection reads is not."""
    projections = {"risk": {"score": {"difficulty": 1}}}
    path = write(tmp_path, defaults={"language": "en", "difficulty": 0.5}, projections=projections)

    assert [
        "defaults.language: warning: neither a rule nor a projection of this policy reads it: the default changes nothing"
    ] == messages(path)


def test_models_of_unknown_price_and_window_are_found(tmp_path):
    """And a dial that needs the price."""
    models = {**MODELS, "new": {"provider": "up"}}
    router = {"type": "estimating", "estimator": {"type": "constant"}, "rule": {"type": "greedy"}}
    path = write(tmp_path, router=router, sections={"models": models})

    assert [
        "models.new: warning: its price is unknown, so its cost will be too",
        "models.new: warning: its context window is unknown: no request is too long for it",
        (
            "router: warning: weighs quality against cost, but the price of new is unknown, so that each counts as the "
            "dearest: state `price` under `models`"
        ),
    ] == messages(path)


def test_a_bound_on_the_cost_names_the_models_that_it_leaves_out(tmp_path):
    """In a policy, a rule, and at a caller's key."""
    models = {**MODELS, "new": {"provider": "up", "context_window": 9}}
    rules = [{"name": "r", "when": {"turns": {"above": 3}}, "limits": {"max_cost_usd": 0.1}}]
    path = write(
        tmp_path,
        rules,
        router={"type": "random"},
        sections={"models": models, "callers": {"ann": {"key": "secret", "max_cost_usd": 1}}},
    )

    said = "max_cost_usd: warning: leaves out new: their price is unknown; state `price` under `models`"
    assert [f"callers.ann.{said}", f"rules.0.limits.{said}"] == [one for one in messages(path) if "leaves" in one]


CLASSES = {
    "data_classes": {"by_pii": {"email": "confidential"}},
    "models": {**MODELS, "large": {**MODELS["large"], "clearance": "confidential"}},
}


def test_classes_that_nobody_may_see_are_found(tmp_path):
    """The policy's file is named, and whether all its requests are refused."""
    others = {"secret": {"router": {"type": "cheapest"}, "data_class": "restricted"}}
    path = write(tmp_path, pool=["small"], sections=CLASSES, others=others)

    said = [one for one in findings(path) if "cleared" in one]
    assert [
        (
            "auto.yaml:5: pool: warning: by no rule: none that may answer is cleared for confidential; "
            "requests of class confidential will be refused"
        ),
        (
            "secret.yaml:1: pool: warning: by no rule: none that may answer is cleared for restricted; "
            "every request will be refused"
        ),
    ] == said


def test_routes_that_are_closed_alike_are_one_finding(tmp_path):
    """A rule that asks for personal data is left out: it has been thought of."""
    rules = [
        {"name": "a", "when": {"turns": {"above": 3}}, "tag": "x"},
        {"name": "b", "when": {"turns": 2}, "pool": ["large"]},
        {"name": "c", "when": {"pii": {"empty": True}}, "tag": "y"},
    ]
    path = write(tmp_path, rules, pool=["small"], sections=CLASSES)

    assert [
        (
            "pool: warning: by no rule, rule 'a': none that may answer is cleared for confidential; "
            "requests of class confidential will be refused"
        )
    ] == [one for one in messages(path) if "cleared" in one]


def test_a_model_below_the_floor_is_found(tmp_path):
    """It could never answer."""
    path = write(tmp_path, sections={"data_classes": {"floor": "internal"}})

    assert (
        "models.small: warning: may see no request: each is at least internal, and the model is cleared for public"
        in messages(path)
    )


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"fallback": [], "limits": {"attempts": 3}}, "is empty, so that there is one call, although limits.attempts is 3"),
        ({"fallback": ["large"], "limits": {"attempts": 1}}, "is never asked: limits.attempts is 1"),
        ({"fallback": ["small"], "router": {"type": "fixed", "model": "small"}}, "names only 'small', which is asked first: nobody stands in for it"),
    ],
)  # fmt: skip
def test_a_fallback_that_is_none_is_found(tmp_path, policy, message):
    """Whatever the reason."""
    assert f"fallback: warning: {message}" in messages(write(tmp_path, **policy))


def test_a_fallback_that_cannot_take_what_the_rule_sends_is_found(tmp_path):
    """The condition says plainly what the request needs."""
    models = {**MODELS, "small": {**MODELS["small"], "capabilities": ["tools"]}}
    rules = [
        {"name": "look", "when": {"images": True}, "fallback": ["small"]},
        {"name": "only", "when": {"needs": "json_schema"}, "pool": ["small"]},
        {"name": "either", "when": {"any": [{"images": True}, {"turns": 9}]}, "pool": ["small"]},
    ]

    assert [
        "rules.0.fallback: warning: 'small' is never asked: it lacks vision, which the rule's condition demands",
        "rules.1.pool: warning: no model of it has json_schema, which the rule's condition demands",
    ] == messages(write(tmp_path, rules, sections={"models": models}))


def test_a_signal_that_nobody_provides_is_an_error_with_a_hint(tmp_path):
    """Not a warning: the rule could not be asked."""
    path = write(tmp_path, [{"name": "r", "when": {"dificulty": {"above": 0.5}}}])

    with pytest.raises(ConfigError, match=r"rules\.0\.when\.dificulty: unknown feature; did you mean 'difficulty'\?"):
        findings(path)


def test_of_a_thousand_rules_not_all_are_compared(tmp_path):
    """What is not compared is said; contradictions are found all the same."""
    rules = [
        {"name": f"r{n}", "when": {"any": [{"turns": n}, {"user_turns": n}, {"text": {"contains": f"word {n}"}}]}}
        for n in range(1000)
    ]
    rules[-1] = {"name": "last", "when": {"difficulty": {"above": 2}}}
    path = write(tmp_path, rules)

    found = messages(path)

    assert "rules.999: warning: the rule 'last' can never hold: its conditions contradict each other" in found
    assert ["rules: warning: only the first 471 of 1000 rules were compared with each other: they are too many"] == [
        one for one in found if "compared" in one
    ]


def test_rules_are_compared_as_far_as_their_alternatives_allow():
    """The bound is on pairs of alternatives; few rules with many count as much as many with one."""
    plain = parse_condition({"n": 1}, {"n": Kind.NUMBER})
    split = parse_condition({"any": [{"n": 1}, {"n": 2}]}, {"n": Kind.NUMBER})
    rules = [Rule(str(n), 0, plain, None) for n in range(10)]

    assert (10, 4, 2) == (
        comparable(rules, 50),
        comparable(rules, 8),
        comparable([Rule("", 0, split, None)] * 9, 8),
    )


def test_what_is_known_of_features_holds_of_every_request(tmp_path):
    """Ranges are of numbers, choices of texts."""
    facts = facts_of(read_files(write(tmp_path), {}), {"domain"})

    assert (0.0, 1.0) == facts.ranges["domain.ood"]
    assert {"law", "other"} <= facts.choices["domain"]
    assert "difficulty" not in facts.certain

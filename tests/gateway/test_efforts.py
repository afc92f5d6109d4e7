from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.constraints import Constraints
from gateway.efforts import effort_asked
from gateway.eligibility import Ability, Demand, Eligibility, expected_cost_usd
from gateway.quotas.claims import Claims
from gateway.quotas.crowd import Crowd
from gateway.quotas.types import Estimate, Holder, Quota
from routers.efforts import AS_ASKED, Effort
from routers.types import Candidate, Price

MEMBERS = (
    "reasoning_effort",
    "reasoning",
    "thinking",
    "output_config",
    "enable_thinking",
    "chat_template_kwargs",
    "thinking_budget",
    "extra_body",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["effort", "type", "google", *MEMBERS]), inner),
    max_leaves=10,
)
NONE = Effort(level="none")
NOW_MS = 1_767_225_600_000


@pytest.mark.parametrize(
    ("body", "effort"),
    [
        ({}, AS_ASKED),
        ({"reasoning_effort": None}, AS_ASKED),
        ({"reasoning_effort": ""}, AS_ASKED),
        ({"reasoning_effort": 3}, AS_ASKED),
        ({"reasoning_effort": "low"}, Effort(level="low")),
        ({"reasoning_effort": "Low"}, Effort(level="low")),
        ({"reasoning_effort": "off"}, NONE),
        ({"reasoning_effort": "default"}, Effort(level="default")),
        ({"reasoning": {"effort": "high"}}, Effort(level="high")),
        ({"reasoning": {"max_tokens": 9}}, Effort(budget=9)),
        ({"reasoning": {"max_tokens": 10**9}}, Effort(budget=10**6)),
        ({"reasoning": {"enabled": False}}, NONE),
        ({"reasoning": {"enabled": True}}, AS_ASKED),
        ({"thinking": {"type": "enabled"}}, AS_ASKED),
        ({"thinking": {"type": "enabled", "budget_tokens": 9}}, Effort(budget=9)),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}, Effort(level="low")),
        ({"thinking": {"type": "disabled"}}, NONE),
        ({"enable_thinking": False}, NONE),
        ({"enable_thinking": True, "thinking_budget": 9}, Effort(budget=9)),
        ({"chat_template_kwargs": {"enable_thinking": False}}, NONE),
        ({"thinking_token_budget": 9}, Effort(budget=9)),
        ({"thinking_budget_tokens": 0}, NONE),
        ({"extra_body": {"google": {"thinking_config": {"thinking_level": "low"}}}}, Effort(level="low")),
        ({"extra_body": {"google": {"thinking_config": {"thinking_budget": 9}}}}, Effort(budget=9)),
    ],
)
def test_a_request_says_how_much_to_reason_in_many_ways(body, effort):
    """In each vendor's; null, and reasoning that is just turned on, say nothing in particular."""
    assert effort == effort_asked(body)


@given(st.dictionaries(st.sampled_from(MEMBERS), JSON))
def test_whatever_stands_there_is_read(body):
    """Nonsense is for the endpoint to refuse."""
    effort = effort_asked(body)

    assert None is effort.max_tokens


def against(name, **demand):
    found = Eligibility({}).removed([Candidate(name, Price(Decimal(1), Decimal(2)))], Demand(Constraints(), **demand))
    return found.get(name)


def test_a_candidate_of_another_effort_is_left_out():
    """One of the same effort stays, and so does one that has none of its own, in whatever way it is spelt."""
    low = Effort(level="low")

    assert "effort: the request itself asks for low" == against("m@high", effort=low)
    assert "effort: the request itself asks for low" == against("m@budget:9", effort=low)
    assert None is against("m@low", effort=low) is against("m", effort=low) is against("m@max_tokens:9", effort=low)
    assert None is against("m@low,max_tokens:9", effort=low) is against("m@off", effort=NONE)
    assert None is against("m@high")


def test_a_budget_has_to_leave_room_for_an_answer():
    """Within the limit that the request sets."""
    said = "effort: of 64 tokens its budget leaves none for the answer"

    assert (said, None) == (
        against("m@budget:64", completion_tokens=64),
        against("m@budget:64", completion_tokens=65),
    )


@pytest.mark.parametrize(
    ("name", "asked", "tokens"),
    [
        ("m", None, 512),
        ("m@high", None, 512),
        ("m@budget:2048", None, 2560),
        ("m@budget:2048", 3000, 3000),
        ("m@max_tokens:100", None, 100),
        ("m@max_tokens:100", 50, 50),
        ("m@budget:64,max_tokens:100", 5000, 100),
    ],
)
def test_reasoning_is_paid_for_as_the_answer_is(name, asked, tokens):
    """What a candidate may take: its budget comes on top of an answer of the usual length, its limit bounds both."""
    candidate = Candidate(name, Price(Decimal(1), Decimal(2)))
    demand = Demand(Constraints(), prompt_tokens=10, completion_tokens=asked, answers=3)

    assert 3 * tokens == demand.most_of(candidate)
    assert Decimal(10 + 2 * 3 * tokens) / 10**6 == expected_cost_usd(candidate, demand)


def test_a_model_is_denied_at_every_effort():
    """A name at an effort denies, and allows, that one alone."""

    def denied(name, **constraints):
        demand = Demand(Constraints(**constraints))
        eligibility = Eligibility({"m": Ability(), "m@low": Ability()})
        return bool(eligibility.removed([Candidate(name)], demand)), name in eligibility.forbidden(demand)

    assert (True, True) == denied("m@low", deny=frozenset({"m"}))
    assert (False, False) == denied("m", deny=frozenset({"m@low"}))
    assert (False, False) == denied("m@low", allow=frozenset({"m"}))
    assert (True, True) == denied("m", allow=frozenset({"m@low"}))


def test_a_models_quota_counts_it_at_every_effort():
    """One of an effort counts this one; one of every model counts both the model and the effort."""

    def accounts(*of):
        quota = Quota("q", "model", "requests", 5, "minute", of=frozenset(of) or None)
        claims = Claims([quota], Crowd())
        stakes = claims.stakes(Holder(), "m@low", Estimate(1, 1), NOW_MS)
        assert [stake.holder for stake in stakes] == [account for _, _, account in claims.of_models(["m@low"])]
        return [stake.holder for stake in stakes]

    assert ["m"] == accounts("m")
    assert ["m@low"] == accounts("m@low", "m@high")
    assert ["m", "m@low"] == accounts()
    assert [] == accounts("n")

"""How long an answer may be, so that it can be paid for, and what an errand counts as spent."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.backend import Backend
from gateway.charging import Charge
from gateway.constraints import Constraints
from gateway.eligibility import Demand
from gateway.failures import OutOfBounds, Step
from gateway.plans.errand import Errand, may_cost
from gateway.pricing import FlatTariff
from providers.chat import parse_chat
from providers.errors import AnswerBroken, ConnectFailed, ConnectionLost, ProviderTimeout, RateLimited, UpstreamError
from routers.types import Call, Candidate, Price, Turn

PRICE = Price(Decimal(10), Decimal(40))
MODEL = Candidate("m", PRICE)


def errand(usd, *, tokens=100, limit="max_tokens", candidate=MODEL, then=Step.PLAN, body=None, **call):
    """Return an errand to a model at 10 and 40 USD a million tokens, with a prompt of `tokens`."""
    chat = parse_chat(
        json.dumps({"model": "p", "messages": [{"role": "user", "content": "hi"}], **(body or {})}).encode()
    )
    tariff = None if candidate.price is None else FlatTariff(candidate.price)
    demand = Demand(Constraints(), prompt_tokens=tokens, completion_tokens=(body or {}).get("max_tokens"))
    made = Call((candidate,), {candidate.model: 1.0}, "why", **call)
    money = None if usd is None else Decimal(usd)
    return Errand(chat, made, demand, {candidate.model: Backend(candidate, (), tariff, limit=limit)}, money, then)


def sent(one, candidate=MODEL):
    return one.to(candidate).body


def test_without_a_bound_the_request_stays_as_it_is():
    """Not a byte of it is changed."""
    one = errand(None)

    assert one.to(MODEL) is one.chat
    assert one.left_usd is None


def test_an_answer_is_limited_to_what_can_be_paid():
    """0.001 USD go for the prompt, and 0.004 buy a hundred tokens."""
    assert 100 == sent(errand("0.005"))["max_tokens"]


def test_a_limit_that_nobody_states_is_one_that_endpoints_take():
    """However much money there is: what the model is known to take, within its window."""
    known = errand("10")
    known.backends = {"m": Backend(MODEL, (), FlatTariff(PRICE), max_tokens=16_000)}
    windowed = Candidate("m", PRICE, context_window=1000)

    assert 4096 == sent(errand("10"))["max_tokens"]
    assert 16_000 == sent(known)["max_tokens"]
    assert 900 == sent(errand("10", candidate=windowed), windowed)["max_tokens"]


def test_a_lower_limit_stands_as_the_client_wrote_it():
    """The very request is sent; a higher one is lowered, under whichever name."""
    lower = errand("0.005", body={"max_tokens": 99})

    assert lower.to(MODEL) is lower.chat
    assert Decimal("0.00004") == lower.left_usd
    assert 100 == sent(errand("0.005", body={"max_completion_tokens": 4000}))["max_tokens"]
    assert {"max_completion_tokens": 100} == {
        name: value for name, value in sent(errand("0.005", limit="max_completion_tokens")).items() if "max" in name
    }


def test_the_models_own_limit_counts():
    """A candidate that answers briefly by its name takes no more than that, and is told so."""
    brief = Candidate("m@max_tokens:50", PRICE)
    one = errand("0.005", candidate=brief)

    assert 50 == sent(one, brief)["max_tokens"]
    assert Decimal("0.002") == one.left_usd


def test_a_call_that_cannot_be_paid_is_not_made():
    """Nor one of an unknown price, which might cost anything."""
    free = Candidate("m", None)
    cases = [
        (errand("0.0016"), MODEL, "too little for m"),
        (errand("5", candidate=free), free, "price of m is unknown"),
    ]
    for one, candidate, told in cases:
        with pytest.raises(OutOfBounds, match=told):
            one.to(candidate)
        assert one.asked is None
    assert 15 == sent(errand("0.0016", body={"max_tokens": 15}))["max_tokens"]


def test_what_models_have_said_is_paid_for_by_the_character():
    """However it is written, it has no more tokens."""
    assert 100 == sent(errand("0.00504", turns=(Turn("user", ""),)))["max_tokens"]
    assert 75 == sent(errand("0.00504", turns=(Turn("user", "x" * 100),)))["max_tokens"]
    assert 100 == sent(errand("0.00404", turns=(Turn("user", ""),), conversation=False))["max_tokens"]


def test_several_answers_share_what_there_is():
    """A question of the plan's own has one."""
    one = errand("0.005")
    one.demand = Demand(Constraints(), prompt_tokens=100, answers=2)
    assert 50 == sent(one)["max_tokens"]

    one = errand("0.005", bare=True)
    one.demand = Demand(Constraints(), prompt_tokens=100, answers=2)
    assert 100 == sent(one)["max_tokens"]


def test_what_is_not_counted_counts_as_all_that_it_may_be():
    """A cost that was reported or priced is what it is; an estimate is no less than the worst."""
    for charge, took in (
        (Charge(Decimal("0.001"), "priced"), "0.001"),
        (Charge(Decimal("0.009"), "reported"), "0.009"),
        (Charge(Decimal("0.001"), "estimated"), "0.005"),
        (Charge(None, None), "0.005"),
    ):
        one = errand("0.005")
        one.to(MODEL)
        one.took(charge)
        assert Decimal(took) == one.took_usd


def test_a_failure_counts_where_a_plan_goes_on():
    """Whoever stands in for the last call may take the same again."""
    for then, took in ((Step.PLAN, "0.005"), (Step.ESCALATED, "0")):
        one = errand("0.005", then=then)
        one.to(MODEL)
        one.failed(ProviderTimeout("slow"))
        assert Decimal(took) == one.took_usd


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectFailed("away"), False),
        (RateLimited("no", status=429), False),
        (UpstreamError("crashed", status=500), False),
        (ConnectionLost("hung up"), True),
        (ProviderTimeout("slow"), True),
        (AnswerBroken("garbage"), True),
    ],
)
def test_what_was_answered_with_an_error_costs_nothing(error, expected):
    """What never came may have been charged."""
    assert expected == may_cost(error)


@given(
    st.decimals("0.00001", "10", places=5),
    st.integers(0, 10_000),
    st.none() | st.integers(1, 5000),
    st.text(max_size=200),
    st.integers(0, 100).map(Decimal),
    st.integers(0, 100).map(Decimal),
)
def test_no_call_may_cost_more_than_it_is_let(usd, tokens, limit, said, input_usd, output_usd):
    """Whatever the prices are, the prompt and an answer of full length take no more."""
    candidate = Candidate("m", Price(input_usd, output_usd))
    body = {} if limit is None else {"max_tokens": limit}
    one = errand(usd, tokens=tokens, candidate=candidate, body=body, turns=(Turn("user", said),))
    try:
        length = sent(one, candidate)["max_tokens"]
    except OutOfBounds:
        return

    assert length * output_usd + one.prompt_tokens * input_usd <= usd * 1_000_000
    assert limit is None or length <= limit

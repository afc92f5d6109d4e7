from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.constraints import UNBOUNDED, Constraints
from gateway.data_class import DEFAULT_CLASSES, DataClasses
from gateway.demands import demand_of
from gateway.eligibility import Ability, Demand, Eligibility, expected_cost_usd
from routers.types import Candidate, Price
from tests.gateway.worlds import ask, world

LADDER = DataClasses()
MISTRAL = Ability(tool_call_id="[A-Za-z0-9]{9}")


def reason(ability: Ability = Ability(), constraints: Constraints = UNBOUNDED, **demand) -> str | None:  # noqa: B008 frozen
    candidate = Candidate("m", demand.pop("price", None), demand.pop("window", None))
    eligibility = Eligibility({"m": ability}, LADDER)
    return eligibility.removed([candidate], Demand(constraints, **demand)).get("m")


@pytest.mark.parametrize(
    ("capabilities", "needs", "lacking"),
    [
        (None, {"vision", "tools", "audio"}, None),
        (set(), set(), None),
        (set(), {"vision"}, "capability: it lacks vision"),
        ({"vision"}, {"vision"}, None),
        ({"vision"}, {"vision", "audio", "json_schema"}, "capability: it lacks audio, json_schema"),
        (set(), {"tool_history"}, "capability: it lacks tools"),
        ({"tools"}, {"tool_history"}, None),
        (set(), {"refusal", "long_context"}, None),
        (set(), {"thinking_history"}, "capability: it lacks thinking_history"),
        (set(), {"n", "logprobs"}, "capability: it lacks logprobs, n"),
    ],
)
def test_what_a_model_lacks_keeps_it_from_the_request(capabilities, needs, lacking):
    """Unknown abilities are not held against a model; some needs go by another name, or by none."""
    ability = Ability(None if capabilities is None else frozenset(capabilities))

    assert lacking == reason(ability, needs=frozenset(needs))


@pytest.mark.parametrize(
    ("ids", "refused"),
    [
        ((), False),
        (("abcDEF123",), False),
        (("call_abc1",), True),
        (("abcDEF123", "x"), True),
        (("abcDEF1234",), True),
        (("abcDEF12\n",), True),
        (("",), True),
    ],
)
def test_ids_of_tool_calls_have_the_form_that_an_endpoint_demands(ids, refused):
    """One strange id in the history is enough."""
    expected = "history: its endpoint refuses the ids of the tool calls" if refused else None

    assert expected == reason(MISTRAL, tool_call_ids=frozenset(ids))


@pytest.mark.parametrize(
    ("tokens", "exact", "fits"),
    [(1000, True, True), (1001, True, False), (1250, False, True), (1251, False, False)],
)
def test_a_prompt_that_is_surely_too_long_is_kept_from_a_model(tokens, exact, fits):
    """A count is believed; an estimate has to be a quarter too large."""
    assert fits == (reason(window=1000, prompt_tokens=tokens, exact=exact) is None)
    assert reason(window=None, prompt_tokens=tokens, exact=exact) is None


def test_an_answer_may_cost_what_its_tokens_cost():
    """Prompt and answer, each at its price; every choice that is asked for is an answer of its own."""
    candidate = Candidate("m", Price(Decimal(1), Decimal(10)))

    assert Decimal("0.003") == expected_cost_usd(
        candidate, Demand(UNBOUNDED, prompt_tokens=1000, completion_tokens=200)
    )
    assert Decimal("0.00612") == expected_cost_usd(candidate, Demand(UNBOUNDED, prompt_tokens=1000))
    assert Decimal("0.007") == expected_cost_usd(
        candidate, Demand(UNBOUNDED, prompt_tokens=1000, completion_tokens=200, answers=3)
    )
    assert expected_cost_usd(Candidate("m"), Demand(UNBOUNDED)) is None


@pytest.mark.parametrize(
    ("most", "price", "removed"),
    [
        (None, None, False),
        (0.003, Price(Decimal(1), Decimal(10)), False),
        (0.00299, Price(Decimal(1), Decimal(10)), True),
        (100.0, None, True),
        (0.0, Price(Decimal(0), Decimal(0)), False),
    ],
)
def test_what_may_cost_too_much_or_an_unknown_sum_is_kept_out(most, price, removed):
    """At the bound itself it may answer; an unknown price is never taken for a low one."""
    found = reason(constraints=Constraints(max_cost_usd=most), price=price, prompt_tokens=1000, completion_tokens=200)

    assert removed == (found is not None)
    assert found is None or found.startswith("max_cost_usd: ")


def test_who_was_too_slow_lately_is_kept_out():
    """Who has not been measured may try."""
    constraints = Constraints(max_latency_s=2)

    assert reason(constraints=constraints, latencies_s={"m": 2.0}) is None
    assert "max_latency_s: it took 2.1 s lately, 2 allowed" == reason(constraints=constraints, latencies_s={"m": 2.1})
    assert reason(constraints=constraints, latencies_s={"other": 9.0}) is None


@pytest.mark.parametrize(
    ("constraints", "removed"),
    [
        (Constraints(allow=frozenset({"m"})), False),
        (Constraints(allow=frozenset({"other"})), True),
        (Constraints(deny=frozenset({"m"})), True),
        (Constraints(allow=frozenset({"m"}), deny=frozenset({"m"})), True),
    ],
)
def test_who_is_denied_or_not_allowed_is_out(constraints, removed):
    """Denial wins, and neither may see the request in any other way."""
    eligibility = Eligibility({"m": Ability()})

    assert removed == (reason(constraints=constraints) is not None)
    assert removed == ("m" in eligibility.forbidden(Demand(constraints)))


@given(st.none() | st.sampled_from(DEFAULT_CLASSES), st.none() | st.sampled_from(DEFAULT_CLASSES))
def test_a_data_class_removes_exactly_whom_it_forbids(clearance, data_class):
    """What is removed from the pool for its class is forbidden wherever it might be asked."""
    eligibility = Eligibility({"m": Ability(clearance=clearance)}, LADDER)
    demand = Demand(UNBOUNDED, data_class=data_class)
    too_open = data_class is not None and DEFAULT_CLASSES.index(data_class) > DEFAULT_CLASSES.index(
        clearance or "public"
    )

    assert too_open == bool(eligibility.removed([Candidate("m")], demand))
    assert too_open == ("m" in eligibility.forbidden(demand))


def test_a_model_of_which_nothing_is_known_may_see_the_lowest_class_only():
    """Whoever forgot to say what it may see has not said that it may see anything."""
    eligibility = Eligibility({}, LADDER)
    stranger = [Candidate("stranger")]

    assert {} == eligibility.removed(stranger, Demand(UNBOUNDED, data_class="public"))
    assert ["stranger"] == [*eligibility.removed(stranger, Demand(UNBOUNDED, data_class="internal"))]


def test_the_data_class_is_the_first_reason():
    """What matters most is said, whatever else speaks against a model."""
    found = reason(
        Ability(frozenset()),
        Constraints(deny=frozenset({"m"})),
        needs=frozenset({"vision"}),
        data_class="restricted",
    )

    assert "data class: the request is restricted, the model is cleared for the lowest class" == found


@pytest.mark.parametrize("member", ["n", "max_tokens", "max_completion_tokens"])
def test_numbers_beyond_all_use_are_bounded(member):
    """No amount of money holds their price."""
    asked = ask(**{member: 10**400})
    demand = demand_of(asked.chat, asked.request, UNBOUNDED, None, {}, world())

    assert 1_000_000 <= demand.most_completion_tokens <= 10**12


DEMANDS = st.builds(
    Demand,
    st.just(UNBOUNDED),
    prompt_tokens=st.integers(0, 300),
    exact=st.booleans(),
    completion_tokens=st.none() | st.integers(1, 300),
)


@given(DEMANDS)
def test_a_request_that_asks_for_nothing_special_is_looked_at_like_any_other(demand):
    """Nothing is left out that may be held against a model: a bound that bars nobody makes all be looked at."""
    pool = [Candidate("small", context_window=100), Candidate("large"), Candidate("thinking@budget:200")]
    eligibility = Eligibility({"small": Ability(frozenset(), tool_call_id="x"), "large": Ability(clearance="low")})
    barred = replace(demand, constraints=Constraints(deny=frozenset({"nobody"})))

    assert eligibility.removed(pool, barred) == eligibility.removed(pool, demand)

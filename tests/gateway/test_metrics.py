"""What is counted of a request: of each call for its own model, and no sum twice."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gateway.charging import owed
from gateway.events import MadeCall
from gateway.metrics import Metrics
from gateway.store.samples import build_outcome, build_planned_outcome

COUNTS = st.none() | st.integers(0, 10_000)
CALLS = st.builds(
    MadeCall,
    model=st.sampled_from(["small", "large"]),
    why=st.sampled_from(["cascade step=1", "judge large", "merge"]),
    error=st.sampled_from([None, "timeout", "cancelled"]),
    cost_usd=st.none() | st.integers(0, 10**9).map(lambda nanos: Decimal(nanos) / 10**9),
    cost_source=st.sampled_from(["priced", "estimated"]),
    prompt_tokens=COUNTS,
    completion_tokens=COUNTS,
    latency_s=st.just(0.5),
)


def samples(metrics, name):
    """Return the values of a metric by its labels, those at zero left out."""
    found = (sample for metric in metrics.registry.collect() for sample in metric.samples)
    return {tuple(one.labels.values()): one.value for one in found if one.name == f"pointsman_{name}" and one.value}


def summed(calls, value):
    """Return the sums of a value by model, those at zero left out."""
    sums = Counter()
    for call in calls:
        sums[(call.model,)] += value(call)
    return {model: total for model, total in sums.items() if total}


@given(made=st.lists(CALLS, max_size=4), answer=st.none() | CALLS)
def test_each_call_counts_for_its_own_model(made, answer):
    """Tokens, USD and what is estimated of them; also where nobody answered in the end."""
    metrics, calls = Metrics(), [*made, *([answer] if answer else [])]
    served = answer.model if answer else None
    metrics.observe("p", build_outcome(1, served_by=served, calls=tuple(made), answer=answer))
    usd = {model: round(value, 9) for model, value in samples(metrics, "cost_usd_total").items()}
    estimated = summed((call for call in calls if call.cost_source == "estimated"), lambda call: call.cost_usd or 0)

    assert {model: round(float(v), 9) for model, v in summed(calls, lambda call: call.cost_usd or 0).items()} == usd
    assert estimated.keys() == samples(metrics, "estimated_cost_usd_total").keys()
    unpriced = summed(calls, lambda call: call.cost_usd is None and owed(call))
    assert unpriced == samples(metrics, "unpriced_answers_total")
    tokens = samples(metrics, "tokens_total")
    assert sum(tokens.values()) == sum((c.prompt_tokens or 0) + (c.completion_tokens or 0) for c in calls)


def test_one_call_alone_is_no_plan():
    """It counts for the model that answered, as far as is known."""
    metrics = Metrics()
    metrics.observe("p", build_outcome(1))

    assert {("large",): 1.234e-05} == samples(metrics, "cost_usd_total")
    assert {("large", "prompt"): 812, ("large", "completion"): 34} == samples(metrics, "tokens_total")
    assert {} == samples(metrics, "plan_calls_total") == samples(metrics, "plans_total")


def test_a_plans_calls_are_counted_by_what_they_were_for():
    """By the first word of it, which the plan's code gives; and how the plan ended."""
    metrics = Metrics()
    metrics.observe("p", build_planned_outcome(1))
    metrics.observe("p", build_planned_outcome(2, answer=None, served_by=None, plan_end=None))
    metrics.observe("hedged", build_planned_outcome(3, plan_end=None))

    expected = {("hedged", "small", "cascade"): 1, ("hedged", "judge", "judge"): 1, ("hedged", "large", "cascade"): 1}
    expected |= {("p", "small", "cascade"): 2, ("p", "judge", "judge"): 2, ("p", "large", "cascade"): 1}
    assert expected == samples(metrics, "plan_calls_total")
    assert {("p", "relayed"): 1, ("p", "cut"): 1} == samples(metrics, "plans_total")

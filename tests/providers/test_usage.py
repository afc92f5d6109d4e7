from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.types import Usage
from providers.usage import MOST_TOKENS, larger, read_usage

BASE = {"prompt_tokens": 100, "completion_tokens": 50}


def read(**more):
    return read_usage({"usage": {**BASE, **more}})


@pytest.mark.parametrize(
    "more",
    [
        {"prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 20}},
        {"prompt_tokens_details": {"cached_tokens": 30, "cache_creation_tokens": 20}},
        {"cache_read_input_tokens": 30, "cache_creation_input_tokens": 20},
        {"cached_tokens": 30, "prompt_tokens_details": {"cache_creation_input_tokens": 20}},
        {"prompt_cache_hit_tokens": 30, "prompt_cache_miss_tokens": 70, "cache_creation_input_tokens": 20},
    ],
)
def test_the_cache_is_read_under_every_name_in_use(more):
    """Vendors agree on what they mean, and not on what they call it."""
    assert Usage(100, 50, cached_tokens=30, cache_write_tokens=20) == read(**more)


def test_every_kind_is_read():
    """Cache, audio, images, reasoning."""
    usage = read(
        prompt_tokens_details={"cached_tokens": 1, "cache_write_tokens": 2, "audio_tokens": 3, "image_tokens": 4},
        completion_tokens_details={"reasoning_tokens": 5, "audio_tokens": 6, "image_tokens": 7},
        total_tokens=150,
    )

    assert Usage(100, 50, 1, 2, 5, 3, 6, 4, 7) == usage


def test_reasoning_that_is_counted_beside_the_completion_is_added():
    """As xAI counts; what it charged, in ticks, is what the tokens cost at its prices."""
    usage = read_usage(
        {
            "usage": {
                "prompt_tokens": 10120,
                "completion_tokens": 1499,
                "total_tokens": 14428,
                "prompt_tokens_details": {"cached_tokens": 128},
                "completion_tokens_details": {"reasoning_tokens": 2809},
                "cost_in_usd_ticks": 232856000,
            }
        }
    )

    assert (10120, 4308, 2809, Decimal("0.0232856")) == (
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.reasoning_tokens,
        usage.cost_usd,
    )


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"total_tokens": 555}, Usage(100, 455, reasoning_tokens=405)),
        (
            {"total_tokens": 350, "cache_read_input_tokens": 150, "cache_creation_input_tokens": 50},
            Usage(300, 50, 150, 50),
        ),
        ({"total_tokens": 150, "completion_tokens_details": {"reasoning_tokens": 40}}, Usage(100, 50, 0, 0, 40)),
        ({"total_tokens": 0}, Usage(100, 50)),
        ({"total_tokens": "200"}, Usage(100, 50)),
    ],
)
def test_the_total_has_the_last_word(more, expected):
    """What it holds beyond prompt and completion was produced, or read, and is charged for."""
    assert expected == read(**more)


@pytest.mark.parametrize(
    ("more", "cost"),
    [
        ({"cost": 0.00014}, "0.00014"),
        ({"cost": 0}, "0"),
        ({"cost": {"input_tokens_cost": 0.1, "total_cost": 0.25}}, "0.25"),
        ({"estimated_cost": 2.5e-06}, "0.0000025"),
        ({"cost_in_usd_ticks": 37756000}, "0.0037756"),
        ({"cost": 0.95, "cost_details": {"upstream_inference_cost": 19}}, "0.95"),
        ({"cost": 0.95, "is_byok": True, "cost_details": {"upstream_inference_cost": 19}}, "19.95"),
        ({"cost": 0.95, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, "0.95"),
    ],
)
def test_the_endpoints_own_cost_is_read_exactly(more, cost):
    """As it is written, without the noise of binary fractions; with the customer's own key, fee and bill together."""
    assert Decimal(cost) == read(**more).cost_usd


@pytest.mark.parametrize(
    "value", [-1, True, "1", None, float("nan"), float("inf"), 1e300, 10**400, [], {}, {"total_cost": "1"}]
)
def test_a_cost_that_makes_no_sense_is_unknown(value):
    """Unknown is not zero, and no reason to fail."""
    assert (None, None) == (read(cost=value).cost_usd, read(cost_in_usd_ticks=value).cost_usd)


def test_no_answer_costs_a_fortune():
    """What would not be believed is not taken: a million is the most."""
    assert (Decimal(1_000_000), None) == (read(cost=1e6).cost_usd, read(cost=1.1e6).cost_usd)


def test_an_endpoint_that_says_zero_of_everything_did_not_count():
    """There is no prompt without tokens; a first chunk of zeros does not hide the last."""
    nothing = read_usage({"usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}})

    assert nothing is None
    assert Usage(3, 2) == larger(nothing, Usage(3, 2))


NONSENSE = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just([]) | st.just({})
NAMES = st.sampled_from(
    [
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "cached_tokens",
        "cache_read_input_tokens",
        "cost",
        "cost_in_usd_ticks",
        "is_byok",
        "audio_tokens",
        "reasoning_tokens",
        "cache_write_tokens",
        "image_tokens",
        "total_cost",
        "upstream_inference_cost",
    ]
)
OBJECTS = st.dictionaries(NAMES, NONSENSE | st.integers(0, 1000), max_size=6)
WHOLES = st.dictionaries(
    NAMES | st.sampled_from(["prompt_tokens_details", "completion_tokens_details", "cost_details"]),
    NONSENSE | OBJECTS | st.integers(0, 1000),
    max_size=12,
)


@given(WHOLES, st.booleans())
def test_any_usage_makes_sense_or_is_none(usage, counted):
    """Whatever an endpoint sends: no exception, no part larger than its whole, nothing negative or unbounded."""
    found = read_usage({"usage": usage | BASE if counted else usage})

    assert found is not None or not counted
    if found is not None:
        parts = (found.cached_tokens, found.cache_write_tokens, found.audio_prompt_tokens, found.image_prompt_tokens)
        assert all(0 <= part <= found.prompt_tokens <= 3 * MOST_TOKENS for part in parts)
        outs = (found.reasoning_tokens, found.audio_completion_tokens, found.image_completion_tokens)
        assert all(0 <= part <= found.completion_tokens <= 2 * MOST_TOKENS for part in outs)
        assert found.cost_usd is None or 0 <= found.cost_usd <= 10**7
        json.dumps([str(found)])


COUNTS = st.integers(0, 9)
USAGES = st.builds(Usage, *[COUNTS] * 9, st.none() | COUNTS.map(Decimal))


@given(USAGES, USAGES, USAGES)
def test_the_largest_of_each_field_in_any_order(a, b, c):
    """Chunks may come in any order, and repeat."""
    assert larger(larger(a, b), c) == larger(a, larger(c, b))
    assert a == larger(a, a)
    assert max(a.reasoning_tokens, b.reasoning_tokens) == larger(a, b).reasoning_tokens
    assert larger(a, None) == larger(None, a) == a

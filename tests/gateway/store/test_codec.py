import json
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.store import codec
from gateway.store.base import RefusedEventError
from gateway.store.checks import NOON, build_decision, build_feedback, build_move, build_outcome
from gateway.store.samples import build_planned_outcome
from gateway.store.values import to_micros

CALL = build_planned_outcome(1).calls[0]


@pytest.mark.parametrize(
    ("event", "decode"),
    [
        (build_decision(1), codec.decode_decision),
        (build_outcome(1), codec.decode_outcome),
        (build_planned_outcome(1), codec.decode_outcome),
        (build_feedback("f", 1), codec.decode_feedback),
        (build_feedback("f", 1, kind="label", value=None, name="rude"), codec.decode_feedback),
        (build_move(1), codec.decode_move),
    ],
)
def test_decoding_reverses_encoding(event, decode):
    """An event comes back equal from its row."""
    assert event == decode(codec.encode(event))


def test_columns_are_plain():
    """Ids are text, times microseconds, flags integers, money nano-dollars: what a shell can read."""
    decision = codec.encode(build_decision(1))
    outcome = codec.encode(build_planned_outcome(1))

    assert decision[:2] == ("00000000-0000-0000-0000-000000000001", 1_767_268_801_000_000)
    assert decision[6] == 1
    assert json.loads(decision[9]) == {"small": 0.9, "large": 0.1}
    assert outcome[9] == 12_340
    assert json.loads(outcome[18])[0]["cost_nano_usd"] == 340


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (build_decision(1, at=NOON.replace(tzinfo=None)), "no time zone"),
        (build_decision(1, features={"unknown": object()}), "JSON"),
        (build_decision(1, policy=None, at=None), "utcoffset"),
        (build_outcome(1, latency_s=float("inf")), "inf"),
        (build_outcome(1, calls=(replace(CALL, latency_s=float("nan")),)), "nan"),
        (build_outcome(1, calls=(replace(CALL, prompt_tokens=2**63),)), "64 bits"),
        (build_outcome(1, status=2**63), "64 bits"),
        (build_feedback("f", 1, value=float("nan")), "nan"),
    ],
)
def test_refuses_what_cannot_be_stored(event, reason):
    """An event of another shape is refused by name and with the reason, and handed back."""
    with pytest.raises(RefusedEventError, match=reason) as refused:
        codec.encode(event)

    assert event is refused.value.event


def test_hour_that_comes_twice_is_two_instants():
    """When a clock is put back, the second two o'clock is an hour after the first."""
    berlin = ZoneInfo("Europe/Berlin")
    first, second = (datetime(2026, 10, 25, 2, tzinfo=berlin, fold=fold) for fold in (0, 1))

    assert to_micros(second) - to_micros(first) == 3_600_000_000


def test_keeps_estimates_that_are_not_finite():
    """An unbounded uncertainty, as of a model never tried, is no reason to lose the event."""
    estimate = build_decision(1).estimates["small"]
    estimates = {"new": type(estimate)(0.5, float("inf"), None)}
    decision = build_decision(1, estimates=estimates)

    assert estimates == codec.decode_decision(codec.encode(decision)).estimates

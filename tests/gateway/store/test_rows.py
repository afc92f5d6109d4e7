import io
import json

import pytest

from gateway.events import LoggedEstimate
from gateway.store.checks import NOON, SECOND, build_decision, build_feedback, build_outcome
from gateway.store.export import Row, rows, write_jsonl
from gateway.store.memory import MemoryStore
from gateway.store.samples import build_planned_outcome


def build_store(*events):
    """Build a store that holds events."""
    store = MemoryStore()
    store.append(events)
    return store


def written(*events):
    """Return the lines that events are exported as, parsed."""
    file = io.StringIO()
    write_jsonl(rows(build_store(*events)), file)
    return [json.loads(line) for line in file.getvalue().splitlines()]


def test_row_holds_the_request_flat():
    """A request's decision, outcome and feedback are one flat row of plain values."""
    (row,) = written(build_decision(1), build_planned_outcome(1), build_feedback("f", 1))

    expected = {
        "at": "2026-01-01T12:00:01.000000+00:00",
        "decision_id": "00000000-0000-0000-0000-000000000001",
        "request_id": "request-1",
        "policy": "auto",
        "policy_digest": "5e" * 32,
        "requested_model": "auto",
        "stream": True,
        "chosen": "small",
        "why": "epsilon",
        "propensity": 0.9,
        "propensities": {"small": 0.9, "large": 0.1},
        "estimates": {
            "small": {"reward": 0.7, "reward_std": 0.1, "cost_usd": 0.00002},
            "large": {"reward": 0.8, "reward_std": 0.2, "cost_usd": None},
        },
        "features": {"domain": "code", "prompt_tokens": 812.0, "multimodal": False, "pii": ["card", "email"]},
        "finished_at": "2026-01-01T12:00:03.000000+00:00",
        "served_by": "large",
        "status": 200,
        "error": None,
        "finish_reason": "stop",
        "prompt_tokens": 812,
        "completion_tokens": 34,
        "cached_tokens": 0,
        "cache_write_tokens": 100,
        "reasoning_tokens": 20,
        "audio_prompt_tokens": 7,
        "audio_completion_tokens": 5,
        "cost_usd": "0.000012340",
        "cost_source": "priced",
        "ttft_s": 0.25,
        "latency_s": 1.5,
        "attempts": [
            {
                "model": "small",
                "started": "2026-01-01T12:00:01.000000+00:00",
                "latency_s": 0.125,
                "status": 429,
                "error": "rate_limited",
                "endpoint": "small@a",
                "then": "candidate",
            },
            {
                "model": "large",
                "started": "2026-01-01T12:00:02.000000+00:00",
                "latency_s": 0.5,
                "status": 200,
                "error": None,
                "endpoint": "",
                "then": None,
            },
        ],
        "calls": [
            {
                "model": "small",
                "why": "cascade step=0",
                "error": None,
                "cost_usd": "0.000000340",
                "cost_source": "priced",
                "prompt_tokens": 812,
                "completion_tokens": 21,
                "latency_s": 0.375,
            },
            {
                "model": "judge",
                "why": "judge",
                "error": "timeout",
                "cost_usd": None,
                "cost_source": None,
                "prompt_tokens": None,
                "completion_tokens": None,
                "latency_s": 0.25,
            },
        ],
        "answer": {
            "model": "large",
            "why": "cascade step=1",
            "error": None,
            "cost_usd": "0.000012000",
            "cost_source": "priced",
            "prompt_tokens": 812,
            "completion_tokens": 34,
            "latency_s": 0.75,
        },
        "plan_end": "relayed",
        "feedback": [
            {
                "id": "f",
                "at": "2026-01-01T12:01:01.000000+00:00",
                "kind": "preference",
                "value": 1.0,
                "model": "large",
                "other": "small",
                "source": "reviewer",
                "comment": "the better proof",
                "name": None,
                "caller": "key_2",
            }
        ],
        "embedding": [1.0, 0.0],
        "text": "Prove that √2 is irrational.",
        "rule": "proofs",
        "tag": "mathematics",
        "trace": {"rules": [{"rule": "proofs", "holds": True}], "removed": {}},
        "caller": "key_1",
    }
    assert expected == row
    assert list(expected) == list(row)


def test_row_type_names_every_member():
    """The type of a row and its content agree, member for member."""
    (row,) = rows(build_store(build_decision(1)))

    assert set(Row.__annotations__) == set(row)


def test_unknown_is_null():
    """A request without an outcome, and one without a cost, show null, never zero."""
    unfinished, unpriced = written(
        build_decision(1, text=None, embedding=None),
        build_decision(2),
        build_outcome(2, cost_usd=None, prompt_tokens=None),
    )

    unknown = ["served_by", "status", "cost_usd", "prompt_tokens", "latency_s", "finished_at", "text", "embedding"]
    assert [None] * len(unknown) == [unfinished[name] for name in unknown]
    assert [unfinished["attempts"], unfinished["feedback"]] == [[], []]
    assert [unpriced[name] for name in ("cost_usd", "prompt_tokens")] == [None, None]


def test_free_costs_zero():
    """A cost of zero is not unknown, and is written as a plain decimal."""
    (row,) = written(build_decision(1), build_outcome(1, cost_usd=0 * build_outcome(1).cost_usd))

    assert row["cost_usd"] == "0.000000000"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_null(value):
    """JSON has no NaN and no infinity."""
    estimates = {"small": LoggedEstimate(0.5, value, value)}
    (row,) = written(build_decision(1, estimates=estimates, features={"ratio": value}, propensities={"small": value}))

    assert row["estimates"] == {"small": {"reward": 0.5, "reward_std": None, "cost_usd": None}}
    assert row["features"] == {"ratio": None}
    assert row["propensity"] is None


def test_rows_are_those_asked_for():
    """What is asked of the rows is asked of the store."""
    store = build_store(*(build_decision(n, policy="auto" if n != 3 else "other") for n in range(6)))

    asked = rows(store, NOON + SECOND, NOON + 5 * SECOND, "auto", 2, newest_first=True)

    assert [row["request_id"] for row in asked] == ["request-4", "request-2"]


def test_jsonl_is_ascii_and_counts():
    """Any terminal can show a line, and the number of lines is returned."""
    file = io.StringIO()

    count = write_jsonl(rows(build_store(build_decision(1), build_decision(2))), file)

    assert count == 2
    assert file.getvalue().isascii()
    assert file.getvalue().count("\n") == 2

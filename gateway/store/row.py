"""What a request is as a flat row."""

from __future__ import annotations

from typing import Any, TypedDict


class EstimateRow(TypedDict):
    """What was expected of one candidate."""

    reward: float | None
    reward_std: float | None
    cost_usd: float | None


class AttemptRow(TypedDict):
    """One call to one candidate."""

    model: str
    started: str
    latency_s: float
    status: int | None
    error: str | None
    endpoint: str
    then: str | None


class CallRow(TypedDict):
    """One call of a plan of several; the cost is text, as a request's."""

    model: str
    why: str
    error: str | None
    cost_usd: str | None
    cost_source: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    latency_s: float


class FeedbackRow(TypedDict):
    """One piece of feedback."""

    id: str
    at: str
    kind: str
    value: float | None
    model: str | None
    other: str | None
    source: str
    comment: str | None
    name: str | None
    caller: str


class OutcomeRow(TypedDict):
    """What came of a request: all None while that is unknown, `attempts` and `calls` empty.

    `cost_usd` is an exact decimal, as text with nine digits after the point.
    """

    finished_at: str | None
    served_by: str | None
    status: int | None
    error: str | None
    finish_reason: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    audio_prompt_tokens: int | None
    audio_completion_tokens: int | None
    cost_usd: str | None
    cost_source: str | None
    ttft_s: float | None
    latency_s: float | None
    attempts: list[AttemptRow]
    calls: list[CallRow]
    answer: CallRow | None
    plan_end: str | None


class Row(OutcomeRow):
    """One request. Times are ISO 8601 in UTC; `propensity` is the chosen model's, as in `propensities`.

    None means unknown, never zero; so do numbers that are no finite ones. `embedding` and `text` are None
    unless the configuration stores them. `trace` is what else the decision was made from.
    """

    at: str
    decision_id: str
    request_id: str
    policy: str
    policy_digest: str
    requested_model: str
    stream: bool
    chosen: str
    why: str
    propensity: float | None
    propensities: dict[str, float | None]
    estimates: dict[str, EstimateRow]
    features: dict[str, float | str | bool | list[str] | None]
    feedback: list[FeedbackRow]
    embedding: list[float | None] | None
    text: str | None
    rule: str | None
    tag: str | None
    trace: dict[str, Any]
    caller: str

from __future__ import annotations

import pytest

from gateway.judging.family import family, judge_for


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-5-nano", "gpt"),
        ("meta-llama/Llama-3.3-70B", "llama"),
        ("claude-sonnet-4-5", "claude"),
        ("o3", "openai"),
        ("123", "123"),
    ],
)
def test_a_models_family(model, expected):
    """It is what is written, else the first word of its name."""
    assert expected == family(model, {"o3": "openai"})


@pytest.mark.parametrize(
    ("answerers", "judges", "barred", "expected"),
    [
        (["gpt-5"], ["gpt-5-nano", "claude-4"], [], "claude-4"),
        (["gpt-5"], ["gpt-5-nano", "claude-4"], ["claude-4"], "gpt-5-nano"),
        (["gpt-5", "claude-4"], ["gpt-5", "claude-4", "claude-5"], [], "claude-5"),
        (["gpt-5"], ["gpt-5"], [], "gpt-5"),
        (["gpt-5"], ["claude-4"], ["claude-4"], None),
    ],
)
def test_no_model_judges_its_own_family_where_another_can(answerers, judges, barred, expected):
    """Nor itself, where another of its family can; and nobody who must not see the request."""
    assert expected == judge_for(answerers, judges, barred, {})

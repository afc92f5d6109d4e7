from __future__ import annotations

import httpx2
import pytest

from gateway.config.endpoints import build_backends, build_provider
from gateway.config.files import read_files
from gateway.config.loader import ConfigError
from tests.gateway.checking.test_check import PRICE, write


@pytest.mark.parametrize(
    "limit",
    [{"max_calls": 0}, {"max_calls": 2.5}, {"max_cost_usd": -1}, {"max_cost_usd": float("inf")}, {"timeout_s": 0}],
)
def test_a_bound_that_is_none_is_refused_with_file_and_line(tmp_path, limit):
    """Also that of a rule."""
    (name,) = limit
    for policy, place in (({"limits": limit}, ""), ({"rules": [{"name": "r", "limits": limit}]}, r"rules\.0\.")):
        path = write(tmp_path, **policy)
        lines = (tmp_path / "auto.yaml").read_text().splitlines()
        line = next(n for n, text in enumerate(lines, 1) if text.strip().startswith(name))
        with pytest.raises(ConfigError, match=rf"auto\.yaml:{line}: {place}limits\.{name}"):
            read_files(path, {})


def test_bounds_are_safe_by_default(tmp_path):
    """Eight calls and ten minutes; a sum is for the operator to name."""
    limits = read_files(write(tmp_path), {}).config.limits

    assert (8, 600, None) == (limits.max_calls, limits.timeout_s, limits.max_cost_usd)


def test_each_model_is_told_how_long_an_answer_may_be_as_its_endpoint_wants(tmp_path):
    """By the name that its vendor takes, and no more than is stated."""
    providers = {"up": {"vendor": "openai", "api_key": "k"}, "here": {"vendor": "vllm"}}
    models = {
        "small": {"provider": "up", "price": PRICE, "context_window": 8000, "max_completion_tokens": 16_000},
        "large": {"provider": "here", "price": PRICE, "context_window": 8000},
    }
    config = read_files(write(tmp_path, sections={"providers": providers, "models": models}), {}).config
    transport = httpx2.MockTransport(lambda _: httpx2.Response(500))
    built = {name: build_provider(name, one, "http://up/v1", {}, transport) for name, one in config.providers.items()}
    backends = build_backends(config, built)

    assert {"small": ("max_completion_tokens", 16_000), "large": ("max_tokens", None)} == {
        name: (backend.limit, backend.max_tokens) for name, backend in backends.items()
    }

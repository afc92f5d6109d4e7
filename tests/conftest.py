"""Fixtures: an upstream that is a real server, and the gateway in front of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, settings

from gateway.app import create_app
from gateway.application import Gateway
from tests.paced import Paced, pacing
from tests.played import Played, playing
from tests.upstream import Upstream, running
from tests.upstream import upstream as played_upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# How long an example takes says how busy the machine is. The same examples each time, so that what passes here passes
# there; `make properties` searches for others.
settings.register_profile("same", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("search", settings.get_profile("same"), derandomize=False, max_examples=1000, print_blob=True)
settings.load_profile("same")

#: Seconds in which whatever is not under way any more is in the log, however busy the machine is.
OUTCOMES_S = 5.0

#: The models of the tests: each behaves as its name says, except those that just answer.
MODELS = [
    "good",
    "other",
    "slow",
    "breaks",
    "in-band",
    "silent",
    "mute",
    "whole",
    "only-done",
    "no-images",
    "too-long",
    "garbage",
    "no-usage",
]
STATUSES = [400, 401, 403, 404, 409, 422, 429, 500, 503, 529]
PRICE = {"input": 1, "output": 2, "cached_input": "0.5"}


@dataclass
class Running:
    """A gateway that serves: its address, its inside, and its files."""

    url: str
    gateway: Gateway
    folder: Path

    def logged(self) -> list[Any]:
        """Return the log, oldest first, once all that was recorded is on disk.

        A client may have the end of an answer before its outcome is recorded: that is waited for, if not for ever.
        """
        deadline = time.monotonic() + OUTCOMES_S
        while True:
            while self.gateway.recorder.pending:
                pass
            found = list(self.gateway.log.joined())
            if all(entry.outcome is not None for entry in found) or time.monotonic() > deadline:
                return found
            time.sleep(0.01)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep embeddings out of the user's cache, also those that commands compute in processes of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POINTSMAN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def shared_upstream() -> Iterator[Upstream]:
    with played_upstream() as played:
        yield played


@pytest.fixture
def upstream(shared_upstream: Upstream) -> Upstream:
    """Return the upstream, with nothing seen yet."""
    for seen in (shared_upstream.requests, shared_upstream.raw, shared_upstream.headers, shared_upstream.calls):
        seen.clear()
    shared_upstream.left = 0
    return shared_upstream


def write_config(folder: Path, url: str, policies: dict[str, dict[str, Any]], **sections: Any) -> Path:
    """Write a configuration whose models are the upstream's behaviours; return the gateway's file."""
    provider = {"vendor": "openai-compatible", "base_url": url, "api_key": "upstream-secret"}
    names = {model: model for model in MODELS} | {f"status-{status}": f"status+{status}" for status in STATUSES}
    models = {name: {"provider": "up", "name": real, "price": PRICE} for name, real in names.items()}
    models["unpriced"] = {"provider": "up", "name": "good"}
    models["away"] = {"provider": "away", "price": PRICE}
    providers = {"up": provider, "away": {**provider, "base_url": "http://127.0.0.1:9/v1"}}
    for name, policy in policies.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({"name": name, **policy}))
    config = {
        "providers": providers,
        "models": models,
        "store": {"type": "sqlite", "path": "log.db"},
        "policies": [f"{name}.yaml" for name in policies],
        **sections,
    }
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.fixture(scope="module")
def shared_played() -> Iterator[Played]:
    """Play models that say what a test wants them to."""
    with playing() as played:
        yield played


@pytest.fixture
def played(shared_played: Played) -> Played:
    """Return models that have been told nothing yet."""
    shared_played.plays.clear()
    shared_played.requests.clear()
    return shared_played


@pytest.fixture(scope="module")
def shared_paced() -> Iterator[Paced]:
    """Play models that take their time."""
    with pacing() as paced:
        yield paced


@pytest.fixture
def paced(shared_paced: Paced) -> Paced:
    """Return models that take none yet."""
    shared_paced.clear()
    return shared_paced


@pytest.fixture
def serve(tmp_path: Path, upstream: Upstream) -> Iterator[Callable[..., Running]]:
    """Return a function that starts a gateway with the given policies and sections, by any of uvicorn's protocols."""
    stack = []

    def start(policies: dict[str, dict[str, Any]] | None = None, http: Any = "auto", **sections: Any) -> Running:
        path = write_config(tmp_path, upstream.url, policies or {}, **sections)
        gateway = Gateway(path, {})
        context = running(create_app(gateway), http)
        url = context.__enter__()
        stack.append(context)
        return Running(url, gateway, tmp_path)

    yield start
    for context in reversed(stack):
        context.__exit__(None, None, None)

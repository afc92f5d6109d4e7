"""Logs made up, of requests that two models take turns in by chance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from gateway.store.checks import build_decision, build_feedback, build_outcome
from gateway.store.sqlite import SQLiteStore

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 3, 1, tzinfo=UTC)
PRICES = {"small": {"input": 1, "output": 2}, "large": {"input": 10, "output": 20}, "other": {"input": 1, "output": 1}}
GATEWAY = {
    "providers": {"up": {"vendor": "openai-compatible", "base_url": "http://127.0.0.1:9/v1"}},
    "models": {name: {"provider": "up", "price": price} for name, price in PRICES.items()},
    "store": {"type": "sqlite", "path": "log.db"},
    "policies": ["auto.yaml"],
}
#: Who may answer, by default, and how a log says that nothing was missed.
PAIR = ["small", "large"]
TRACE = {"signal_ms": {"length": 0.1, "needs": 0.1, "context": 0.1, "session": 0.1}, "missed": [], "removed": {}}
#: What an answer of each is worth on average, and what a token costs.
WORTH = {"small": 0.5, "large": 0.8}
USD = {"small": 1e-6, "large": 1e-5}


def write_policy(folder: Path, name: str, **policy: Any) -> Path:
    """Write a policy `auto` over both models; return its file."""
    path = folder / f"{name}.yaml"
    path.write_text(
        yaml.safe_dump({"name": "auto", "pool": PAIR, "router": {"type": "random"}, **policy}, sort_keys=False)
    )
    return path


def weighted(small: float, large: float) -> dict[str, Any]:
    """Return a router that splits the traffic."""
    return {"type": "weighted", "weights": {"small": small, "large": large}}


def write_gateway(folder: Path, **sections: Any) -> Path:
    """Write a gateway with a policy that draws evenly; return its file."""
    write_policy(folder, "auto")
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump({**GATEWAY, **sections}, sort_keys=False))
    return path


def write_log(path: Path, n: int = 1500, *, chance: float = 0.5, rated: float = 0.6, seed: int = 0) -> Path:
    """Write a log in which the small model answers with that chance; return its file."""
    rng = np.random.default_rng(seed)
    events = []
    for number in range(1, n + 1):
        model = "small" if rng.random() < chance else "large"
        at, tokens = START + timedelta(minutes=number), float(rng.integers(50, 1500))
        usd = Decimal(f"{USD[model] * (tokens + 300):.9f}")
        features = {"prompt_tokens": tokens, "length.exact": False, "needs": (), "session": f"s{number}"}
        events.append(
            build_decision(
                number,
                at=at,
                chosen=model,
                why="weighted",
                propensities={"small": chance, "large": 1 - chance},
                features=features,
                embedding=rng.normal(size=8).astype("<f4").tobytes(),
                text=None,
                rule=None,
                trace=TRACE,
            )
        )
        events.append(build_outcome(number, at=at, served_by=model, cost_usd=usd, latency_s=1.0 + (model == "large")))
        if rng.random() < rated:
            value = float(rng.random() < WORTH[model])
            events.append(build_feedback(f"f{number}", number, at=at, kind="score", value=value, source="user"))
    store = SQLiteStore.open(path)
    store.append(events)
    store.close()
    return path

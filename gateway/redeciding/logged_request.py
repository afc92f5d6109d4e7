"""A logged request: what the log knows of it, and what nobody looked for when it was decided on."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gateway.rules.features import find_kind
from gateway.signals.extract import EMBEDDING
from gateway.signals.registry import features, signal_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gateway.events import Decision
    from gateway.exploration.rules import Because
    from routers.types import Feature, FloatArray

#: How a trace begins the reason where a caller or its key has ruled a model out.
DENIED = "denied:"
#: The reason in a trace for a data class that a header, a caller or a policy claims.
CLAIMED = "claimed"
#: What a trace calls the dial that the request asked for.
DIAL = "dial"
#: Where the dial was, as routers write it into the reason for a decision.
_WEIGHT = re.compile(r"\bw=([0-9][0-9.e+-]*)")


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A decision as it was logged. `read` are the signals that were looked at then, in time or not."""

    decision: Decision
    features: Mapping[str, Feature] = field(init=False)
    read: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Tell what signals found from what else is logged with it."""
        decision = self.decision
        found = {name: value for name, value in decision.features.items() if find_kind(name, features())}
        tried = {*self._trace("signal_ms"), *self._trace("missed")} - {EMBEDDING}
        if decision.embedding is not None or EMBEDDING in self._trace("missed"):
            tried.add(EMBEDDING)
        object.__setattr__(self, "read", frozenset({*tried, *map(signal_of, found)}))
        text = {} if decision.text is None else {"text": decision.text}
        object.__setattr__(self, "features", {**found, **text})

    @property
    def embedding(self) -> FloatArray | None:
        """Return the embedding `[d]`, None where it is not stored."""
        stored = self.decision.embedding
        return None if stored is None else np.frombuffer(stored, "<f4")

    @property
    def denied(self) -> frozenset[str]:
        """Return the models that the caller or its key had ruled out, as far as they were looked at."""
        removed = self._trace("removed")
        return frozenset(model for model, why in removed.items() if str(why).startswith(DENIED))

    @property
    def claimed(self) -> frozenset[str]:
        """Return the data class that was claimed, where that decided the request's class."""
        data_class = self._trace("data_class")
        return frozenset({data_class["name"]}) if CLAIMED in data_class.get("because", ()) else frozenset()

    @property
    def dial(self) -> float | None:
        """Return where the request turned the dial, in [0, 1]; None where it left that to the name and the policy."""
        return self.decision.trace.get(DIAL)

    @property
    def weight_in_force(self) -> float | None:
        """Return where the dial was, of a decision whose log does not say who had turned it; None where that is known.

        Logs of earlier versions have it in the reason alone: pressure included, rounded to six digits.
        """
        found = None if DIAL in self.decision.trace else _WEIGHT.search(self.decision.why)
        return None if found is None else float(found[1])

    @property
    def unexplored(self) -> Because | None:
        """Return why the request was not explored with; None where it was, and of a router that does not explore."""
        because: Because | None = self._trace("exploration").get("because")
        return because

    @property
    def price_of_money(self) -> float:
        """Return how many times as dear as ever money was; 1 where it was not scarce."""
        return float(self._trace("pressure").get("price_of_money", 1.0))

    def unseen(self, wanted: Collection[str], stale: Collection[str]) -> frozenset[str]:
        """Return the features that nobody looked for; the `stale` ones were looked for with other settings."""
        return frozenset(name for name in wanted if name in stale or not self._seen(name))

    def _seen(self, feature: str) -> bool:
        if feature in self.features or feature == "text":
            return feature in self.features
        return signal_of(feature) in self.read

    def _trace(self, key: str) -> Any:
        """Return a part of the trace; an empty mapping where there is none, as in logs of earlier versions."""
        return self.decision.trace.get(key) or {}

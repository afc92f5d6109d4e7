"""The signals that there are, by name, and the features that each may give."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from gateway.signals.extract import EMBEDDING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.signals.base import Kind, Signal


class SignalClass(Protocol):
    """A signal before it is opened: it says what it would provide, and what it would read."""

    name: str
    provides: Mapping[str, Kind]
    reads_embedding: bool

    def __call__(self) -> Signal:
        """Open it with the settings that it has by default."""
        ...


#: Each as "module:Class". A class says what it provides before it is opened.
BUILT_IN: Mapping[str, str] = {
    "agent": "gateway.signals.agent:Agent",
    "context": "gateway.signals.context:ConversationContext",
    "difficulty": "gateway.signals.difficulty.signal:DifficultySignal",
    "domain": "gateway.signals.domain.signal:DomainSignal",
    "documents": "gateway.signals.documents:Documents",
    "identity": "gateway.signals.identity:Identity",
    "keywords": "gateway.signals.keywords:KeywordLists",
    "language": "gateway.signals.language:LanguageSignal",
    "length": "gateway.signals.length:Length",
    "metadata": "gateway.signals.metadata:Metadata",
    "needs": "gateway.signals.needs:Needs",
    "pii": "gateway.signals.pii.signal:PiiSignal",
    "safety": "gateway.signals.safety.signal:SafetySignal",
    "session": "gateway.signals.session:Session",
    "step": "gateway.signals.step:Step",
    "time": "gateway.signals.time_window:Time",
}

#: All that a router, a rule or the log may ask for.
SIGNALS = frozenset({EMBEDDING, *BUILT_IN})


def signal_class(name: str) -> SignalClass:
    """Import and return the class of a signal."""
    module, _, attribute = BUILT_IN[name].partition(":")
    return cast("SignalClass", getattr(import_module(module), attribute))


@lru_cache(maxsize=1)
def features() -> Mapping[str, Kind]:
    """Return every feature that some signal may give, and its kind."""
    return {feature: kind for name in BUILT_IN for feature, kind in signal_class(name).provides.items()}


@lru_cache(maxsize=1)
def _providers() -> Mapping[str, str]:
    return {feature: name for name in BUILT_IN for feature in signal_class(name).provides}


def signal_of(feature: str) -> str:
    """Return the signal that gives a feature; a family such as `metadata.*` stands for all that begin so.

    Raises `KeyError` for a feature that nothing provides.
    """
    providers = _providers()
    if feature in providers:
        return providers[feature]
    stems = [stem for stem in providers if stem.endswith(".*") and feature.startswith(stem.removesuffix("*"))]
    return providers[max(stems, key=len, default=feature)]

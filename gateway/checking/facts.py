"""What is known of the signals' features before any request: ranges, choices, and which are never absent."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from gateway.config.domains import written_classes
from gateway.rules.facts import Facts
from gateway.signals.base import Kind
from gateway.signals.domain.examples import OTHER
from gateway.signals.domains import DESCRIPTIONS
from gateway.signals.needs import NEEDS
from gateway.signals.pii.finding import KINDS
from gateway.signals.registry import features
from gateway.signals.time_window import DAYS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from gateway.config.files import Files
    from gateway.config.models import GatewayConfig

#: Numbers that are probabilities, or on the same scale, besides all that end in one of `_UNIT_ENDINGS`.
_UNIT: Final = frozenset(
    {"difficulty", "reasoning", "safety.jailbreak", "safety.harmful", "safety.injection", "domain.margin"}
)
_UNIT_ENDINGS: Final = (".confidence", ".ood")
#: What else is not simply a count, which is never below 0.
_RANGES: Final[Mapping[str, tuple[float, float]]] = {"time.hour": (0.0, 24.0)}
#: Of signals that are read at once, and so never miss a deadline: what they find in every request.
_CERTAIN: Final = frozenset(
    {
        "agent.loop_open",
        "agent.step",
        "agent.tools_offered",
        "history_tokens",
        "images",
        "needs",
        "session.continues",
        "session.given",
        "session.turn",
        "stream",
        "structured",
        "system_tokens",
        "text",
        "time.hour",
        "time.weekday",
        "time.windows",
        "tools",
        "turns",
        "user_turns",
    }
)
#: Counted by a tokenizer they may be late; estimated they are not.
_ESTIMATED: Final = frozenset({"length.exact", "prompt_tokens", "text_tokens"})
#: What cannot be read of a request.
_UNREAD: Final = frozenset({"image", "audio", "file"})


def facts_of(files: Files, signals: Collection[str]) -> Facts:
    """Return what is known of the features under a configuration that opens these signals.

    Raises `ValueError` and `OSError` where the classes of `domain` are needed and cannot be read.
    """
    config = files.config
    numbers = {name for name, kind in features().items() if kind is Kind.NUMBER}
    certain = _CERTAIN | (_ESTIMATED if config.signals.length.tokenizer == "estimate" else frozenset())
    choices = choices_of(config)
    if "domain" in signals:
        domains = domains_of(files) | {OTHER}
        choices |= {"domain": domains, "domain.second": domains}
    return Facts({name: _range(name) for name in numbers}, choices, certain)


def choices_of(config: GatewayConfig) -> dict[str, frozenset[str]]:
    """Return the texts that features may be, or may hold, where they are known without a look at other files."""
    signals = config.signals
    # Virtual keys and tokens may come with any.
    callers = {} if config.keys or config.jwt else _of_callers(config)
    return callers | {
        "needs": NEEDS,
        "pii": frozenset(KINDS),
        "pii.unread": _UNREAD,
        "time.weekday": frozenset(DAYS),
        "time.windows": frozenset(signals.time.windows),
        "keywords": frozenset(signals.keywords),
    }


def _of_callers(config: GatewayConfig) -> dict[str, frozenset[str]]:
    callers = config.callers.values()
    return {
        "caller": frozenset(config.callers),
        "role": _given(caller.role for caller in callers),
        "team": _given(caller.team for caller in callers),
        "caller.tags": frozenset(tag for caller in callers for tag in caller.tags),
    }


def domains_of(files: Files) -> frozenset[str]:
    """Return the classes that requests are told apart by. Raises `ValueError` and `OSError`."""
    settings = files.config.signals.domain
    if settings.classes is None and settings.examples is None:
        return frozenset(DESCRIPTIONS)
    return frozenset(written_classes(files).names)


def _range(name: str) -> tuple[float, float]:
    if name in _UNIT or name.endswith(_UNIT_ENDINGS):
        return 0.0, 1.0
    return _RANGES.get(name, (0.0, math.inf))


def _given(values: Iterable[str]) -> frozenset[str]:
    return frozenset(value for value in values if value)

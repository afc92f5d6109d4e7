"""Builds what decides, by hand: policies over models of this and that ability, and requests to decide on."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

from gateway.callers import NOBODY
from gateway.constraints import UNBOUNDED, Constraints
from gateway.data_class import DataClasses
from gateway.deciding import Ask, Decider, World
from gateway.eligibility import Ability, Eligibility
from gateway.health import Health
from gateway.latencies import Latencies
from gateway.metrics import Metrics
from gateway.policy import Policies, Policy
from gateway.route import Route
from gateway.sessions import Sessions
from gateway.signals.agent import Agent
from gateway.signals.base import Caller, Request
from gateway.signals.context import ConversationContext
from gateway.signals.extract import Signals
from gateway.signals.length import Length
from gateway.signals.needs import Needs
from gateway.signals.pii.signal import PiiSignal
from gateway.signals.request import last_user_text
from gateway.signals.session import Session
from providers.chat import parse_chat
from providers.types import Timeouts
from routers.random_choice import RandomChoice
from routers.types import Candidate

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
CARD = "My card is 4111 1111 1111 1111."
#: Read once: it loads its lexicon.
PII = PiiSignal()


def signals(*more, deadline_s: float = 5.0) -> Signals:
    """Return the signals that every decision reads, and more."""
    return Signals([Length(), ConversationContext(), Needs(), Session(), Agent(), *more], None, deadline_s, Metrics())


def policy(name="p", pool=(), router=None, fallback=None, **options: Any) -> Policy:
    """Return a policy with one route; by default each of the pool is as likely as the next."""
    rest = {key: options.pop(key) for key in ("attempts", "bounds", "changes") if key in options}
    route = Route(tuple(pool), router or RandomChoice(), fallback, Timeouts(total_s=5), **rest)
    return Policy(name, "", route, "", **options)


def decider(*policies: Policy, abilities=None, classes=None, deadline_s=5.0, more=()) -> Decider:
    """Return what decides by these policies. `classes` are the rules of data classes; `more` signals replace others."""
    models = {candidate.model: candidate for one in policies for route in one.routes() for candidate in route.pool}
    ladder = classes.classes if classes else None
    known = {model: Ability() for model in models} | dict(abilities or {})
    found = [PII, *more] if classes else more
    return Decider(
        Policies({one.name: one for one in policies}, models, Timeouts(total_s=5)),
        signals(*found, deadline_s=deadline_s),
        Eligibility(known, ladder),
        classes,
    )


def ask(
    model="p",
    text="Say hello.",
    *,
    constraints: Constraints = UNBOUNDED,
    caller: Caller = NOBODY,
    headers=None,
    **body,
) -> Ask:
    """Return a request with one user turn, unless `messages` are given."""
    whole = {"model": model, "messages": [{"role": "user", "content": text}], **body}
    chat = parse_chat(json.dumps(whole).encode())
    return Ask(chat, Request(chat.body, last_user_text(chat.body), NOON, headers or {}, caller), constraints)


def world(seed: int = 0) -> World:
    """Return a world in which nothing has happened yet."""
    return World(Health(), Sessions(), Latencies(), random.Random(seed))


def pool(*names: str, **options: Any) -> tuple[Candidate, ...]:
    return tuple(Candidate(name, **options) for name in names)


def tool_loop(call_id: str = "call_1", text: str = "What is the weather?") -> list[dict[str, Any]]:
    """Return the messages of an open loop of tools."""
    call = {"id": call_id, "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    return [
        {"role": "user", "content": text},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call_id, "content": "4 degrees"},
    ]


def turns(*texts: str) -> list[dict[str, Any]]:
    """Return messages whose roles take turns, the user first."""
    return [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]


LADDER = DataClasses()

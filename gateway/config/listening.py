"""Turns what is written about implicit feedback and judging into rules, and into where it is remembered."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from gateway.config.candidates import build_candidates
from gateway.config.loader import did_you_mean
from gateway.config.models import LocalConfig
from gateway.implicit.memory import LocalMemory
from gateway.implicit.rules import VALUES, ImplicitRules
from gateway.judging.budget import LocalBudget
from gateway.judging.rules import JudgingRules
from providers.vendors import VENDORS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from gateway.config.implicit_models import ImplicitConfig
    from gateway.config.judging_models import JudgingConfig
    from gateway.config.loader import Document, Place
    from gateway.config.models import GatewayConfig
    from gateway.implicit.memory import Memory
    from gateway.judging.budget import Budget
    from gateway.sharing.link import Link


def implicit_rules(config: ImplicitConfig) -> ImplicitRules:
    """Return what signs say."""
    return ImplicitRules(
        values={signal: getattr(config.signals, signal) for signal in VALUES},
        window_s=config.window_s,
        pause_s=config.pause_s,
        repeats=config.repeats,
        small_limit=config.small_limit,
        except_policies=frozenset(config.except_policies),
        except_callers=frozenset(config.except_callers),
    )


def open_memory(config: ImplicitConfig, shared: Callable[[float, bytes], Memory] | None) -> Memory:
    """Return where requests are remembered: with all replicas or workers, as `shared` opens it, or in this process."""
    key = config.key.get_secret_value().encode() if config.key else b""
    return LocalMemory(config.window_s, key) if shared is None else shared(config.window_s, key)


def judging_rules(config: JudgingConfig) -> JudgingRules:
    """Return who judges which answers, how, and for how much."""
    return JudgingRules(
        judges=config.judges,
        share=config.share,
        shares=config.shares,
        max_usd=config.max_usd_per_day,
        mode=config.mode,
        weighing=config.weigh,
        at_once=config.at_once,
        queue=config.queue,
        timeout_s=config.timeout_s,
        families=config.families,
        max_characters=config.max_characters,
        criteria=config.criteria,
        max_tokens=config.max_tokens,
    )


def open_budget(link: Link | None) -> Budget:
    """Return where the money of judging is counted: with all replicas, or in this process."""
    if link is None:
        return LocalBudget()
    budget: Budget = import_module("gateway.judging.shared_budget").SharedBudget(link)
    return budget


def limit_members(config: GatewayConfig) -> dict[str, str]:
    """Return the member of a request that limits the length of each model's answer."""
    return {name: _limit_member(config, model.reached[0].provider) for name, model in config.models.items()}


def _limit_member(config: GatewayConfig, provider: str) -> str:
    endpoint = config.providers[provider]
    return "max_tokens" if isinstance(endpoint, LocalConfig) else VENDORS[endpoint.vendor].limit_field


def wrong_judging(config: GatewayConfig, document: Document, asked: Collection[str]) -> Iterator[str]:
    """Yield judges that are not there, whose price is unknown, or who are reached by callers' own authorization."""
    judging = config.judging
    if judging is None:
        return
    several = isinstance(judging.judge, tuple)
    for n, name in enumerate(judging.judges):
        place: Place = ("judging", "judge", n) if several else ("judging", "judge")
        if (problem := _problem_with(name, config)) is not None:
            yield document.at(place, problem)
    for name in judging.shares:
        if name not in asked:
            yield document.at(("judging", "shares", name), f"no policy or model {name!r}; {did_you_mean(name, asked)}")
    for name in judging.families:
        if name not in config.models:
            hint = did_you_mean(name, config.models)
            yield document.at(("judging", "families", name), f"{name!r} is not in models; {hint}")


def _problem_with(judge: str, config: GatewayConfig) -> str | None:
    """Return why a model cannot judge, None where it can. What it names wrongly itself is said elsewhere."""
    model = config.models.get(judge)
    if model is None:
        return f"{judge!r} is not in models; {did_you_mean(judge, config.models)}"
    providers = [config.providers.get(place.provider) for place in model.reached]
    if any(one is None or getattr(one, "vendor", None) not in {*VENDORS, "local"} for one in providers):
        return None
    if any(getattr(one, "forward_authorization", False) for one in providers):
        return f"{judge!r} is reached by each caller's own authorization, which is not for judging: name another model"
    _, tariff = build_candidates(config)[judge]
    if tariff is None:
        return f"the price of {judge!r} is unknown, so that max_usd_per_day could not be kept: give it a price"
    return None


def wrong_implicit(config: GatewayConfig, document: Document, asked: Collection[str]) -> Iterator[str]:
    """Yield policies and callers that are to be left alone and are not there. `asked` may be asked for as `model`."""
    place = ("implicit", "except_policies")
    yield from _unknown(config.implicit.except_policies, asked, document, place, "policy or model")
    place = ("implicit", "except_callers")
    yield from _unknown(config.implicit.except_callers, config.callers, document, place, "caller")


def _unknown(
    names: Collection[str], known: Collection[str], document: Document, place: Place, what: str
) -> Iterator[str]:
    for n, name in enumerate(names):
        if name not in known:
            yield document.at((*place, n), f"no {what} {name!r}; {did_you_mean(name, known)}")

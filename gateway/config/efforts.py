"""Models at an effort: each that some pool names, or its model offers, is a model of its own from here on.

It is reached where its model is, at its price, and may see what that may see; it is asked otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config.loader import did_you_mean
from gateway.config.models import LocalConfig
from providers.reasoning import STYLES, written
from providers.vendors import LOCAL, VENDORS
from routers.efforts import AS_ASKED, Effort, split

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from gateway.config.files import PolicyFile
    from gateway.config.loader import Document, Place
    from gateway.config.models import GatewayConfig, ModelConfig, ProviderConfig
    from providers.reasoning import Style


def style_of(provider: ProviderConfig) -> Style:
    """Return how a provider's models are told to reason more or less: as written, else as its vendor's are."""
    if isinstance(provider, LocalConfig):
        return STYLES[LOCAL.reasoning]
    if isinstance(provider.reasoning, str):
        return STYLES[provider.reasoning]
    if provider.reasoning is not None:
        return written(provider.reasoning)
    return STYLES[VENDORS[provider.vendor].reasoning]


def with_efforts(config: GatewayConfig, policies: tuple[PolicyFile, ...]) -> GatewayConfig:
    """Return the configuration with every model at an effort that it names, after the models themselves."""
    named = [name for _, _, name in _named(config, None, policies)]
    found = {name: split(name) for name in named if name not in config.models}
    more = {name: config.models[base] for name, (base, _) in found.items() if name != base and base in config.models}
    return config.model_copy(update={"models": {**config.models, **more}}) if more else config


def wrong_efforts(config: GatewayConfig, document: Document, policies: tuple[PolicyFile, ...]) -> Iterator[str]:
    """Yield a line for each effort that a model cannot be asked with, or that something else contradicts.

    `config` is as written: without the models at an effort.
    """
    for name in config.models:
        base, effort = split(name)
        if effort != AS_ASKED:
            said = f"is how the model {base!r} at the effort {str(effort)!r} is written: choose another name"
            yield document.at(("models", name), said)
    spelt: dict[tuple[str, Effort], str] = {}
    for where, place, name in _named(config, document, policies):
        base, effort = split(name)
        if effort == AS_ASKED or base not in config.models or where is None:
            continue
        if (other := spelt.setdefault((base, effort), name)) != name:
            yield where.at(place, f"{name!r} and {other!r} are the same: write it in one way")
        if (problem := _problem(base, config.models[base], effort, config)) is not None:
            yield where.at(place, f"{name!r}: {problem}")
    for policy in policies:
        yield from _contradicted(policy)


def unknown_model(name: str, known: Collection[str]) -> str:
    """Return what may be meant by a name that is none of those known: another one, or a badly written effort."""
    base, at, said = name.rpartition("@")
    if at and base in known:
        try:
            Effort.read(said)
        except ValueError as error:
            return str(error)
    if name.startswith("max_tokens:"):
        return "within [...] a name with a comma needs quotes: ['MODEL@EFFORT,max_tokens:TOKENS']"
    return did_you_mean(name, known)


def _problem(base: str, model: ModelConfig, effort: Effort, config: GatewayConfig) -> str | None:
    """Return why a model cannot be asked so, and what to do about it. What is wrong otherwise is said elsewhere."""
    window, most = model.context_window, max(effort.max_tokens or 0, effort.budget or 0)
    if window is not None and most >= window:
        return f"{most} tokens leave no room for a prompt in its context_window of {window}: write fewer"
    level, budget = effort.reasoning
    if level is None and budget is None:
        return None
    if model.capabilities is not None and "reasoning_effort" not in model.capabilities:
        return f"the capabilities of {base!r} lack reasoning_effort: add it there, or name {base!r} alone"
    for place in model.reached:
        provider = config.providers.get(place.provider)
        if provider is None or getattr(provider, "vendor", None) not in {*VENDORS, "local"}:
            continue
        style = style_of(provider)
        if (lacking := style.lacks(level, budget)) is not None:
            efforts = [*sorted(style.levels), *(["budget:TOKENS"] if style.budgets else [])]
            return (
                f"the provider {place.provider!r} cannot be told {lacking}; it takes {', '.join(efforts) or 'none'}. "
                f"Take one of these, or set providers.{place.provider}.reasoning"
            )
    return None


def _named(
    config: GatewayConfig, document: Document | None, policies: tuple[PolicyFile, ...]
) -> Iterator[tuple[Document | None, Place, str]]:
    """Yield every model that is named to be asked: where that stands, and its name."""
    for model, written_ in config.models.items():
        for n, effort in enumerate(written_.efforts):
            yield document, ("models", model, "efforts", n), f"{model}@{effort}"
    for n, judge in enumerate(config.judging.judges if config.judging else ()):
        yield document, ("judging", "judge", n), judge
    for policy in policies:
        places: list[Place] = [(), *(("rules", n) for n in range(len(policy.config.rules)))]
        for place in places:
            of = policy.config.rules[int(place[1])] if place else policy.config
            for key in ("pool", "fallback"):
                for n, name in enumerate(getattr(of, key) or ()):
                    yield policy.document, (*place, key, n), name


def _contradicted(policy: PolicyFile) -> Iterator[str]:
    """Yield rules that ask for an effort of models that have one already."""
    for index, rule in enumerate(policy.config.rules):
        said = next((name for name in ("effort", "reasoning") if getattr(rule, name) is not None), None)
        pool = rule.pool or policy.config.pool or ()
        own = next((name for name in pool if split(name)[1].reasoning != AS_ASKED.reasoning), None)
        if said is not None and own is not None:
            hint = f"{own!r} has an effort of its own: name {split(own)[0]!r} in the rule's pool, or leave {said} out"
            yield policy.document.at(("rules", index, said), hint)

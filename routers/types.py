"""The vocabulary of routing: what is known, what may be done, what came of it.

Values are never changed once they are made. Most are frozen; those that every request makes anew are not, because
freezing makes them take three times as long to make. An *action* is a candidate: one model of the pool. Probabilities
sum to one and are checked where they are made.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar, runtime_checkable

import numpy as np

from routers.efforts import split

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path
    from random import Random

    from numpy.typing import NDArray

    from routers.efforts import Effort
    from routers.outlook import Prepared

    FloatArray = NDArray[np.float32]

#: What a signal may find: a number, a text, whether something holds, or several texts.
Feature = float | str | bool | tuple[str, ...]

T = TypeVar("T")

#: How far a distribution's sum may be from one before it is refused.
PROBABILITY_TOLERANCE = 1e-9


@dataclass(slots=True)
class Context:
    """What is known of a request before it is answered.

    `text` is what was embedded (the last user turn), `prompt_tokens` an estimate for the whole request,
    `embedding` a unit vector `[d]` or None where it was not asked for or missed its deadline. Further
    signals are keys of `features`, never new fields.
    """

    text: str
    prompt_tokens: int
    embedding: FloatArray | None = None
    features: Mapping[str, Feature] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens. A price of None for prompt tokens read from a cache is unknown: no saving is counted."""

    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Joules:
    """The energy that a model takes for each token of a prompt, and of a completion."""

    input: float
    output: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that may be chosen, perhaps at an effort, which is part of its name.

    A price of None is unknown, which is not zero; so is an energy of None.
    """

    model: str
    price: Price | None = None
    context_window: int | None = None
    joules: Joules | None = None

    @property
    def base(self) -> str:
        """Return the model without its effort: `gpt-5` of `gpt-5@low`."""
        return split(self.model)[0]

    @property
    def effort(self) -> Effort:
        """Return how the model is asked to reason, and how long its answer may be, as its name says."""
        return split(self.model)[1]


@dataclass(frozen=True, slots=True)
class Incumbent:
    """The model that has answered a session so far, and the USD that its warm prompt cache saves on this request."""

    model: str
    saved_usd: float = 0.0


@dataclass(slots=True)
class Estimate:
    """What is expected of one candidate: mean and standard error of a reward, or of a utility."""

    mean: float
    std: float = 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """A message that a plan adds to the client's conversation."""

    role: Literal["assistant", "user"]
    content: str


@dataclass(slots=True)
class Call:
    """What a plan asks for next: candidates to send the request to, and why.

    `propensities` is the whole distribution that the choice was drawn from, over all candidates that the
    plan was given; `estimates` (rewards) and `expected_cost_usd` are what it was computed from, for the log.
    `best` is the model that looks best, which a router that explores may not have drawn; None where nothing tells.

    Several candidates are asked at once; one that is named twice is asked twice. `stream` says that the answer may be
    relayed as it comes: the plan takes whatever it is, and ends. `turns` follow the client's own conversation, and
    `parameters` replace members of his request. A call that is `bare` asks a question of the plan's own: without the
    client's tools and the form that he wants answers in; one without the `conversation` shows its own turns alone.
    """

    candidates: tuple[Candidate, ...]
    propensities: Mapping[str, float]
    why: str
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    expected_cost_usd: Mapping[str, float] = field(default_factory=dict)
    stream: bool = True
    best: str | None = None
    turns: tuple[Turn, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    bare: bool = False
    conversation: bool = True

    def __post_init__(self) -> None:
        """Refuse a call without candidates, or whose propensities are not a distribution over them."""
        if not self.candidates:
            raise ValueError("a call needs at least one candidate")
        propensities = self.propensities
        # Negated, so that NaN, which compares false with all, is refused.
        if not (abs(sum(propensities.values()) - 1) <= PROBABILITY_TOLERANCE and min(propensities.values()) >= 0):
            raise ValueError(f"propensities must be a distribution, not {dict(propensities)}")
        for candidate in self.candidates:
            if propensities.get(candidate.model, 0) <= 0:
                missing = [c.model for c in self.candidates if propensities.get(c.model, 0) <= 0]
                raise ValueError(f"chosen with probability zero: {missing}")

    @property
    def final(self) -> bool:
        """Tell whether its answer may be relayed as it comes, so that it is the plan's last."""
        return self.stream and len(self.candidates) == 1


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that an answer asks for: its name, and its arguments as the model wrote them."""

    name: str
    arguments: str


@dataclass(slots=True)
class Answer:
    """What came of one call to one candidate. `error` is None when it answered.

    Of an answer that was relayed as it came, nothing else is told. `logprobs` are those of the tokens that were taken,
    None where they were not asked for or not given; a cost of None is unknown.
    """

    candidate: Candidate
    error: str | None = None
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    refusal: bool = False
    logprobs: tuple[float, ...] | None = None
    cost_usd: float | None = None
    latency_s: float = 0.0


@dataclass(slots=True)
class Finish:
    """The end of a plan: the answer to return, or None to refuse, with the reason.

    A `text` stands in for that of the answer.
    """

    answer: Answer | None
    reason: str = ""
    text: str | None = None


#: Yields calls, is sent their answers, returns how it ended. It does no I/O.
Plan = Generator[Call, Sequence[Answer], Finish]

#: Part of a plan: yields calls of its own, if any, and returns the chance that an answer is good enough.
Check = Generator[Call, Sequence[Answer], float]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Outcomes in columns, `n` requests by `m` models: a full-information table, or a log with gaps.

    `embeddings` is `[n, d]`, `rewards` `[n, m]` in [0, 1]; `costs_usd`, `completion_tokens` and `latencies_s`
    (None where nobody measured) are `[n, m]`. NaN means: not observed. `models` names the columns.

    `texts` (what was embedded), `tasks` (what kind of request it was, as whoever made the table says) and
    `prompt_tokens` are of length `n`, or empty where they are not known. `propensities` `[n]` (None where nobody logged
    any) are the probabilities with which the one model was drawn that was observed; NaN where it was not drawn.
    """

    models: tuple[str, ...]
    embeddings: FloatArray
    rewards: FloatArray
    costs_usd: FloatArray
    completion_tokens: FloatArray
    latencies_s: FloatArray | None = None
    texts: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    prompt_tokens: tuple[int, ...] = ()
    propensities: NDArray[np.float64] | None = None

    @property
    def n(self) -> int:
        """Return the number of rows."""
        return len(self.rewards)

    def take(self, rows: Sequence[int] | NDArray[np.intp]) -> Outcomes:
        """Return some rows, in the order given."""
        return replace(
            self,
            embeddings=self.embeddings[rows],
            rewards=self.rewards[rows],
            costs_usd=self.costs_usd[rows],
            completion_tokens=self.completion_tokens[rows],
            latencies_s=None if self.latencies_s is None else self.latencies_s[rows],
            texts=_taken(self.texts, rows),
            tasks=_taken(self.tasks, rows),
            prompt_tokens=_taken(self.prompt_tokens, rows),
            propensities=None if self.propensities is None else self.propensities[rows],
        )

    def of_models(self, models: Sequence[str]) -> Outcomes:
        """Return the columns of some models, in the order given. Raises `ValueError` for one it lacks."""
        columns = [self.models.index(model) for model in models]
        return replace(
            self,
            models=tuple(models),
            rewards=self.rewards[:, columns],
            costs_usd=self.costs_usd[:, columns],
            completion_tokens=self.completion_tokens[:, columns],
            latencies_s=None if self.latencies_s is None else self.latencies_s[:, columns],
        )

    def contexts(self) -> list[Context]:
        """Return the requests as a router sees them; an embedding of zeros or NaN is one that is missing."""
        lengths = np.linalg.norm(self.embeddings, axis=1)
        return [
            Context(
                text=self.texts[row] if self.texts else "",
                prompt_tokens=self.prompt_tokens[row] if self.prompt_tokens else 0,
                embedding=self.embeddings[row] if lengths[row] > 0 else None,
            )
            for row in range(self.n)
        ]


@dataclass(frozen=True, slots=True)
class Estimates:
    """Rewards expected of `m` candidates for `n` contexts: `mean` and `std` (standard error), both `[n, m]`."""

    mean: FloatArray
    std: FloatArray


@dataclass(slots=True)
class Prospects:
    """What is expected of `m` candidates for one request, in the order that the rule sees them: cheapest first.

    `costs_usd` and `latencies_s` are of length `m`; a latency is NaN where it is unknown. `reference_usd` is what
    an average request costs with the dearest candidate, 0 where no cost is known: the unit of the dial. `models`
    says whose they are, for a utility to which names matter; empty where nobody said.
    """

    rewards: Sequence[Estimate]
    costs_usd: Sequence[float]
    latencies_s: Sequence[float]
    reference_usd: float
    models: Sequence[str] = ()


class Router(Protocol):
    """Chooses: turns a context and candidates into a plan."""

    @property
    def requires(self) -> frozenset[str]:
        """Name the signals that it reads; a composite answers for its parts."""
        ...

    def plan(self, context: Context, candidates: Sequence[Candidate], rng: Random) -> Plan:
        """Plan the calls for one request; pure, and under a millisecond a step."""
        ...

    def learn(self, outcomes: Outcomes) -> None:
        """Take in outcomes, one row or a million."""
        ...

    def save(self, directory: Path, *, encoder: str | None = None, metadata: Mapping[str, str] | None = None) -> None:
        """Write what was learned, as data (npz and JSON, never pickle).

        `encoder` is the digest of what made the embeddings, `metadata` says where the outcomes came from.
        """
        ...

    def load(self, directory: Path) -> None:
        """Replace what was learned by what `save` wrote.

        Raises `StateError` where the folder holds nothing readable.
        """
        ...


@runtime_checkable
class Dialled(Protocol):
    """A router that weighs quality against cost, with a dial that a request may turn."""

    @property
    def quality_weight(self) -> float:
        """Return where the dial is: 0 is cheapest, 1 is best."""
        ...

    def with_quality_weight(self, quality_weight: float) -> Router:
        """Return this router with the dial elsewhere: 0 is cheapest, 1 is best. It shares what was learned.

        Raises `ValueError` for a dial outside [0, 1].
        """
        ...


@runtime_checkable
class Staying(Protocol):
    """A router that can tell whether a change of model within a session is worth the prompt cache that it loses."""

    def staying_with(self, incumbent: Incumbent) -> Router:
        """Return this router for a session that the incumbent has answered so far. It shares what was learned."""
        ...


@runtime_checkable
class Sociable(Protocol):
    """A router that may estimate several requests together."""

    @property
    def company(self) -> object | None:
        """Return what routers share whose requests are estimated sooner together; None where they are not."""
        ...

    def expecting(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Prepared:
        """Return what is expected of the candidates for each of some requests, computed at once."""
        ...

    def sharing(self, prepared: Prepared) -> Router:
        """Return this router with what a router of the same company expects. It decides as it would have alone."""
        ...


@runtime_checkable
class Naming(Protocol):
    """A router, or a part of one, whose options name models: a pool that lacks one of them is a mistake."""

    @property
    def named(self) -> frozenset[str]:
        """Return the models that the options name."""
        ...


class Estimator(Protocol):
    """How good would each candidate's answer be?"""

    @property
    def requires(self) -> frozenset[str]:
        """Name the signals that it reads."""
        ...

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> Estimates:
        """Estimate the reward of every candidate for every context."""
        ...

    def learn(self, outcomes: Outcomes) -> None:
        """Take in outcomes."""
        ...

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return what was learned, as arrays by name (no object arrays)."""
        ...

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned by what `state` returned."""
        ...


class Costs(Protocol):
    """What would each candidate's answer cost?"""

    @property
    def requires(self) -> frozenset[str]:
        """Name the signals that it reads."""
        ...

    @property
    def models(self) -> tuple[str, ...]:
        """Return the models of which outcomes were learned."""
        ...

    def predict(self, contexts: Sequence[Context], candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        """Return the USD to expect, `[n, m]`; NaN where it is unknown, which is not zero."""
        ...

    def reference_usd(self, candidates: Sequence[Candidate]) -> float:
        """Return what an average request costs with the dearest candidate; 0 where no cost is known."""
        ...

    def learn(self, outcomes: Outcomes) -> None:
        """Take in outcomes."""
        ...

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return what was learned, as arrays by name (no object arrays)."""
        ...

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Replace what was learned by what `state` returned."""
        ...


class Gate(Protocol):
    """Is an answer good enough?"""

    @property
    def requires(self) -> frozenset[str]:
        """Name the signals that it reads."""
        ...

    @property
    def asks(self) -> Mapping[str, object]:
        """Return parameters that it wants answers to be asked for with, such as `logprobs`."""
        ...

    def check(self, context: Context, answer: Answer, candidates: Sequence[Candidate]) -> Check:
        """Return the chance in [0, 1] that an answer is good enough, after calls of its own where it needs any."""
        ...


class Utility(Protocol):
    """What is a candidate worth, given what is expected of it and what quality is worth?"""

    def utilities(self, prospects: Prospects, quality_weight: float) -> list[Estimate]:
        """Return a utility for each candidate: the highest is to be preferred.

        `quality_weight` in [0, 1] is the dial: lowering it never raises the expected cost of the highest.
        """
        ...


class Rule(Protocol):
    """What to do about the estimates: a probability for each candidate."""

    def distribution(self, utilities: Sequence[Estimate]) -> list[float]:
        """Return probabilities that sum to one; the first of equals is preferred."""
        ...


class StateError(Exception):
    """Saved state is missing, damaged, or of another format; the message names the file and the remedy."""


def _taken(values: tuple[T, ...], rows: Sequence[int] | NDArray[np.intp]) -> tuple[T, ...]:
    return tuple(values[row] for row in rows) if values else ()

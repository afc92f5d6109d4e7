"""The section `signals`, as users write it."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from gateway.config.written import Name, Written


class EmbeddingConfig(Written):
    """The sentence encoder."""

    model: str = Field(
        "minilm",
        description="`minilm` (all-MiniLM-L6-v2, included), `static` (its token vectors averaged, included: a hundred "
        "times faster, less exact), or any sentence-transformers model (needs the extra `sentence-transformers`).",
    )
    threads: PositiveInt = Field(1, description="CPU threads to encode with.")
    cache_entries: int = Field(4096, ge=0, description="Texts whose embeddings are kept.")


class LengthConfig(Written):
    """How tokens are counted."""

    tokenizer: Literal["estimate", "o200k_base", "cl100k_base"] = Field(
        "estimate", description="An estimate, or exact counts (needs the extra `tokens`)."
    )
    family: Literal["o200k", "cl100k", "llama3", "gemma", "smollm", "claude"] = Field(
        "o200k", description="The family of models whose tokens are estimated."
    )


class KeywordsConfig(Written):
    """A list of words: its name is among `keywords` where one of them occurs."""

    any: tuple[str, ...] = Field((), description="Words or phrases, found at word boundaries.")
    regex: tuple[str, ...] = Field((), description="Regular expressions.")
    all: bool = Field(default=False, description="Whether all of them have to occur.")
    case_sensitive: bool = Field(default=False, description="Whether upper and lower case differ.")
    scope: Literal["user", "all"] = Field("user", description="The last user turn, or all messages.")


class WindowConfig(Written):
    """A window of time: its name is among `time.windows` while it is open."""

    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = Field(
        ("mon", "tue", "wed", "thu", "fri", "sat", "sun"), min_length=1, description="The days on which it opens."
    )
    opens: str = Field("00:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="Local time, `HH:MM`.")
    closes: str = Field(
        "00:00",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        description="Local time; one that is not later than `opens` is of the day after.",
    )
    first: date | None = Field(None, description="The first date on which it opens.")
    last: date | None = Field(None, description="The last date on which it opens.")


class TimeConfig(Written):
    """The clock that rules go by."""

    zone: str = Field("UTC", description="An IANA time zone, such as `Europe/Berlin`.")
    windows: dict[Name, WindowConfig] = Field(default_factory=dict, description="Windows of time, by name.")


class MetadataConfig(Written):
    """What rules may see of a request's headers."""

    headers: tuple[str, ...] = Field((), description="Headers that become `header.NAME`.")


class DomainClassConfig(Written):
    """A class of requests, told by examples, by a description, or by both."""

    description: str | None = Field(None, description="What requests of the class are about.")
    examples: tuple[str, ...] = Field((), description="Requests of the class; ten help much, thirty more.")


class DomainConfig(Written):
    """The classes that requests are told apart by."""

    classes: dict[Name, DomainClassConfig] | None = Field(None, description="By default the built-in ones.")
    examples: str | None = Field(
        None, description="A file of further examples: JSON lines `{text, domain}`, or CSV with those columns."
    )
    threshold: float | None = Field(
        None, ge=0, le=1, description="Above this `domain.ood` a request is `other`; by default it is calibrated."
    )


class SafetyConfig(Written):
    """How carefully attacks are looked for."""

    cascade: bool = Field(
        default=False,
        description="Whether hard cases are read again with the sentence embedding, which is computed for it; needs "
        "the encoder `minilm`.",
    )
    low: float = Field(0.1, ge=0, le=1, description="A case is hard from this probability on.")
    high: float = Field(0.9, ge=0, le=1, description="And up to this one.")


class SignalsConfig(Written):
    """What is found out about a request before it is routed."""

    deadline_ms: PositiveFloat = Field(
        15.0, description="A signal that takes longer is absent: defaults hold, and the decision says so."
    )
    log: tuple[str, ...] = Field((), description="Signals that are extracted for the log, whoever needs them.")
    embedding: EmbeddingConfig = EmbeddingConfig()
    length: LengthConfig = LengthConfig()
    domain: DomainConfig = DomainConfig()
    safety: SafetyConfig = SafetyConfig()
    keywords: dict[Name, KeywordsConfig] = Field(default_factory=dict, description="Lists of words, by name.")
    metadata: MetadataConfig = MetadataConfig()
    time: TimeConfig = TimeConfig()

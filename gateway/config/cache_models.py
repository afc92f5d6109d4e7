"""What users write about the cache: of the gateway as a whole, and of a policy's answers."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from gateway.config.written import Written


class CacheConfig(Written):
    """Where answers are kept that may be given again; which ones they are, policies say."""

    store: Literal["memory", "redis"] = Field(
        "memory", description="`memory`: of each process; `redis`: of all replicas, in the Redis under `redis`."
    )
    max_bytes: PositiveInt = Field(
        256 * 1024 * 1024, description="Bytes of all answers; older ones make room for new ones."
    )
    max_answer_bytes: PositiveInt = Field(1024 * 1024, description="Bytes of an answer; a larger one is not kept.")

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        if self.max_answer_bytes > self.max_bytes:
            raise ValueError(
                f"max_answer_bytes {self.max_answer_bytes} is above max_bytes {self.max_bytes}: it would never fit"
            )
        return self


class SemanticConfig(Written):
    """When two questions are the same, though their words are not."""

    threshold: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Least cosine of the two questions' embeddings; by default 0.85, and 0.95 where `wording` is free.",
    )
    wording: Literal["same", "free"] = Field(
        "same",
        description="`same`: but for idle words and polite beginnings, the words are the same, in the same order. "
        "`free`: one question may have further words, if they are none that decide.",
    )


class PolicyCacheConfig(Written):
    """Which answers of a policy are given again, and to whom: see [caching.md](caching.md)."""

    exact: bool = Field(default=True, description="Whether the very same request gets the same answer.")
    semantic: SemanticConfig | None = Field(
        None, description="Whether the same question in other words does; by default not."
    )
    ttl_s: float = Field(3600.0, ge=1, description="Seconds that an answer may be given again.")
    scope: Literal["key", "team", "everyone"] = Field(
        "key", description="Who may be given an answer: the same key, the same team, or everyone."
    )
    tools: bool = Field(default=False, description="Whether requests with tools get answers again, exact ones only.")
    temperature: Literal["any", "zero"] = Field(
        "any", description="`zero`: only requests whose temperature is 0 are answered from the cache."
    )
    cut: bool = Field(default=False, description="Whether answers that ended at their limit of tokens are kept.")

    @model_validator(mode="after")
    def _answers_something(self) -> Self:
        if not self.exact and self.semantic is None:
            raise ValueError("neither exact nor semantic: leave `cache` out where nothing is to be given again")
        return self

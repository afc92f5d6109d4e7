"""What users write, as pydantic models: strict about names, frozen, with a default wherever there is a sensible one.

Paths are relative to the file that they stand in. `configs/schema.json` is generated from here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Discriminator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    Tag,
    field_validator,
    model_validator,
)

from gateway.config.cache_models import CacheConfig
from gateway.config.feedback_models import FeedbackConfig
from gateway.config.implicit_models import ImplicitConfig
from gateway.config.judging_models import JudgingConfig
from gateway.config.key_models import JwtConfig, KeysConfig
from gateway.config.learning_models import LearningConfig
from gateway.config.quota_models import OwnQuotaConfig, QuotaConfig
from gateway.config.reasoning_models import EffortText, ReasoningStyle, check_style
from gateway.config.signal_models import SignalsConfig
from gateway.config.written import CandidateName, Name, Written
from gateway.priority import Priority
from providers.transport.origin import check_address
from routers.efforts import AS_ASKED, split

#: What a request may need of a model: what it holds, or asks for.
Capability = Literal[
    "tools",
    "vision",
    "audio",
    "file",
    "json_schema",
    "json_object",
    "logprobs",
    "n",
    "audio_output",
    "prediction",
    "web_search",
    "reasoning_effort",
    "thinking_history",
]


def _separated(written: tuple[SecretStr, ...] | SecretStr | None) -> tuple[str, ...]:
    """Return secrets that are written as a list or separated by commas."""
    listed = written if isinstance(written, tuple) else (written,)
    secrets = [secret.get_secret_value() for secret in listed if secret is not None]
    return tuple(key.strip() for secret in secrets for key in secret.split(",") if key.strip())


class ServerConfig(Written):
    """Where the gateway listens, and whom it serves."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    workers: PositiveInt | Literal["auto"] = Field(
        1, description="Processes that serve; `auto`: one for each core. What they share: docs/reliability.md#workers."
    )
    api_keys: tuple[SecretStr, ...] | SecretStr | None = Field(
        None,
        description="Keys that callers must show, as a list or separated by commas; none: every caller is served. "
        "Without keys the gateway listens on loopback addresses only.",
    )
    admin_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="The key of the admin API; by default the environment variable POINTSMAN_ADMIN_KEY. Without one "
        "there is no admin API.",
    )
    max_body_bytes: PositiveInt = Field(20 * 1024 * 1024, description="Larger request bodies get a 413.")
    body_timeout_s: PositiveFloat = Field(
        30.0, description="Seconds that a caller may be silent within a body, and that its headers may take."
    )
    max_headers: PositiveInt = Field(200, description="Requests with more headers get a 431.")
    max_header_bytes: PositiveInt = Field(128 * 1024, description="Longer request lines and headers get a 431.")
    drain_s: NonNegativeFloat = Field(30.0, description="Seconds that open requests are given when the gateway stops.")
    max_in_flight: PositiveInt = Field(
        10_000, description="Requests that may be under way at once, streams included; more get a 429."
    )
    max_lag_s: PositiveFloat = Field(
        0.025,
        description="Seconds by which the event loop may be late under overload. Once it stays three times later, so "
        "many requests are taken as it can answer in time, and the others get a 429 at once.",
    )

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys that callers may show."""
        return _separated(self.api_keys)


class ConcurrencyConfig(Written):
    """How many requests an endpoint is sent at once, for each model."""

    max: PositiveInt | None = Field(None, description="Requests at most; by default a thousand.")
    adaptive: bool = Field(
        default=True,
        description="Whether fewer are sent once it says that it has too much to do, until it answers.",
    )
    queue: NonNegativeInt = Field(1000, description="Requests that may wait for room; others get a 429.")
    queue_s: NonNegativeFloat = Field(10.0, description="Seconds that a request may wait for room.")


class HealthCheckConfig(Written):
    """A question that an endpoint is asked regularly, so that its failure is noticed before a request meets it."""

    path: str = Field("models", description="Path below the `base_url`; any answer below 500 is a good one.")
    every_s: PositiveFloat = Field(10.0, description="Seconds between two questions.")
    timeout_s: PositiveFloat = Field(5.0, description="Seconds to the answer.")


class EndpointConfig(Written):
    """An endpoint that speaks OpenAI's dialect."""

    vendor: str = Field(description="A row of the vendors' table; it supplies what is not written here.")
    base_url: str | None = Field(None, pattern=r"^https?://", description="Address, up to and with `/v1`.")
    api_key: tuple[SecretStr, ...] | SecretStr | None = Field(
        None,
        description="The key, or several as a list or separated by commas: where one is limited or refused, the next "
        "is taken. By default the vendor's environment variable.",
    )
    headers: dict[str, SecretStr] = Field(default_factory=dict, description="Further headers to send.")
    proxy: SecretStr | None = Field(
        None, description="A proxy to reach it through (`http://`, `https://`); those of the environment are not used."
    )
    forward_authorization: bool = Field(
        default=False, description="Whether the caller's own `Authorization` is sent on, in place of a key."
    )
    reasoning: ReasoningStyle | dict[str, dict[str, Any]] | None = Field(
        None,
        description="How its models are told to [reason more or less](plans/effort.md): a style, or the members of the "
        "request that each effort becomes; by default the vendor's style.",
    )
    concurrency: ConcurrencyConfig = ConcurrencyConfig()
    health_check: HealthCheckConfig | None = Field(None, description="By default nothing is asked.")

    @field_validator("base_url")
    @classmethod
    def _leads_somewhere(cls, base_url: str | None) -> str | None:
        if base_url is not None:
            check_address(base_url)
        return base_url

    @field_validator("reasoning")
    @classmethod
    def _says_how(cls, reasoning: object) -> object:
        if isinstance(reasoning, dict):
            check_style(reasoning)
        return reasoning

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys as written."""
        return _separated(self.api_key)


class LocalConfig(Written):
    """A model that the gateway runs itself, on the CPU, in a process of its own."""

    vendor: Literal["local"]
    weights: str = Field(description="`smollm2-135m-instruct`, `gemma3-270m`, or the path of a GGUF file.")
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="Checksum that a GGUF file must have.")
    threads: PositiveInt = Field(1, description="CPU threads to generate with.")
    parallel: PositiveInt = Field(4, description="Requests that are answered side by side; others wait.")
    context_tokens: PositiveInt = Field(2048, description="Tokens of prompt and answer, for each request.")
    max_completion_tokens: PositiveInt = Field(512, description="Length of an answer whose request sets none.")


def _kind_of_provider(value: Any) -> str:
    vendor = value.get("vendor") if isinstance(value, dict) else getattr(value, "vendor", None)
    return "local" if vendor == "local" else "endpoint"


ProviderConfig = Annotated[
    Annotated[LocalConfig, Tag("local")] | Annotated[EndpointConfig, Tag("endpoint")], Discriminator(_kind_of_provider)
]


class PriceConfig(Written):
    """USD per million tokens."""

    input: Decimal = Field(ge=0, description="Prompt tokens.")
    output: Decimal = Field(ge=0, description="Completion tokens.")
    cached_input: Decimal | None = Field(
        None, ge=0, description="Prompt tokens read from a cache; as `input` if absent."
    )
    cache_write: Decimal | None = Field(
        None, ge=0, description="Prompt tokens written to a cache; as `input` if absent."
    )
    audio_input: Decimal | None = Field(None, ge=0, description="Audio in the prompt; as `input` if absent.")
    audio_output: Decimal | None = Field(None, ge=0, description="Audio in the completion; as `output` if absent.")


class EnergyConfig(Written):
    """Joules per token."""

    input: float = Field(ge=0, le=1_000_000, description="For each token of the prompt.")
    output: float = Field(ge=0, le=1_000_000, description="For each token of the completion.")


class ModelEndpointConfig(Written):
    """One of several places where a model is reached."""

    provider: str = Field(description="A name under `providers`.")
    name: str | None = Field(None, description="What that provider calls the model; by default the model's `name`.")
    weight: PositiveFloat = Field(1.0, description="Its share of the requests, beside the others.")


class ModelConfig(Written):
    """A model of the pool."""

    provider: str | None = Field(None, description="A name under `providers`; or `endpoints`.")
    endpoints: tuple[ModelEndpointConfig, ...] = Field(
        (), description="Several places where the same model is reached, in place of `provider`."
    )
    balance: Literal["latency", "outstanding", "weighted"] = Field(
        "latency",
        description="Which endpoint is asked first: the faster and less busy of two drawn at random, who has the "
        "fewest requests, or at random by weight.",
    )
    name: str | None = Field(None, description="What the provider calls it; by default its name here.")
    price: PriceConfig | None = Field(None, description="By default the catalogue's; in neither: unknown, never zero.")
    energy_j_per_token: EnergyConfig | Annotated[float, Field(ge=0, le=1_000_000)] | None = Field(
        None, description="Joules that a token takes: of prompt and completion alike, or as below; by default unknown."
    )
    context_window: PositiveInt | None = Field(None, description="Tokens; by default the catalogue's.")
    max_completion_tokens: PositiveInt | None = Field(
        None,
        description="The longest answer that its endpoints take as a limit, which is set where `max_cost_usd` bounds a "
        "[plan](plans/bounds.md) and the request names none; by default 4096.",
    )
    efforts: tuple[EffortText, ...] = Field(
        (),
        description="[Efforts](plans/effort.md) at which it is offered, each beside the model itself: clients may ask "
        "for `NAME@EFFORT`, and policies that name no pool choose among them too.",
    )
    capabilities: tuple[Capability, ...] | None = Field(
        None,
        description="What requests may need of it; others are kept from it. By default unknown: nothing is kept from "
        "it. Local models' are known.",
    )
    clearance: str | None = Field(
        None, description="The highest data class that it may see; by default the lowest, once there are any."
    )

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if (self.provider is None) == (not self.endpoints):
            raise ValueError("needs either a provider or endpoints")
        providers = [endpoint.provider for endpoint in self.endpoints]
        if len(set(providers)) < len(providers):
            raise ValueError("endpoints may name a provider only once")
        return self

    @property
    def reached(self) -> tuple[ModelEndpointConfig, ...]:
        """Return where it is reached: one place or several."""
        return self.endpoints or (ModelEndpointConfig(provider=self.provider or ""),)


class CallerConfig(Written):
    """A caller with a key of its own, and what that key allows."""

    key: SecretStr = Field(min_length=1, description="The key that the caller shows.")
    role: str = Field("", description="What rules see as `role`.")
    team: str = Field("", description="What rules see as `team`.")
    user: str = Field("", description="On whose behalf the caller calls.")
    tags: tuple[str, ...] = Field((), description="What rules see as `caller.tags`.")
    data_class: str | None = Field(None, description="The least data class that the caller's requests count as.")
    allow_models: tuple[CandidateName, ...] | None = Field(
        None, description="Models that may answer, each at all its efforts; by default all."
    )
    deny_models: tuple[CandidateName, ...] = Field((), description="Models that may not answer, at no effort.")
    policies: tuple[CandidateName, ...] | None = Field(
        None, description="Names of policies and models that the caller may ask for; by default all."
    )
    max_cost_usd: NonNegativeFloat | None = Field(None, description="Most that one answer may be expected to cost.")
    debug: bool = Field(default=False, description="Whether the caller may see how decisions were made.")
    quotas: tuple[OwnQuotaConfig, ...] = Field((), description="What the caller may use: see [quotas](quotas.md).")
    priority: Priority = Field(
        "normal", description="Who goes first where an endpoint has no room: `high`, `normal`, `low`."
    )
    exploration: bool = Field(default=True, description="Whether its requests may be [explored](exploration.md) with.")


class DataClassesConfig(Written):
    """How confidential requests are, and which models may see them: each class from open to closed.

    A model may see requests up to its `clearance`; one without may see the lowest class only.
    """

    names: tuple[Name, ...] = Field(
        ("public", "internal", "confidential", "restricted"), min_length=2, description="The classes, open to closed."
    )
    floor: str | None = Field(None, description="The class of a request that nothing says more about; else the first.")
    by_pii: dict[str, str] = Field(
        default_factory=dict, description="The least class of a request in which that kind of personal data is found."
    )
    unread: str | None = Field(
        None,
        description="The class of what cannot be read (images, audio, files); by default the highest of `by_pii`.",
    )


class StoreConfig(Written):
    """The log of decisions, outcomes and feedback."""

    type: Literal["sqlite", "memory"] = "sqlite"
    path: str = Field("pointsman.db", description="The database (SQLite).")
    text: bool = Field(default=False, description="Whether the last user turn is stored with each decision.")
    embedding: bool = Field(default=True, description="Whether its embedding is stored: learning needs it.")
    max_queue: PositiveInt = Field(
        20_000, description="Events that may wait to be written; further ones are dropped, and counted."
    )


class LimitsConfig(Written):
    """What one request may take."""

    max_cost_usd: NonNegativeFloat | None = Field(
        None,
        description="USD that an answer may be expected to cost; a model whose price is unknown is left out. All calls "
        "of a [plan of several](plans/bounds.md) together take no more.",
    )
    max_latency_s: PositiveFloat | None = Field(
        None, description="Seconds that an answer may take: models that took longer lately are left out."
    )
    timeout_s: PositiveFloat = Field(
        600.0, description="Seconds for the whole request, a stream and all calls of a plan included."
    )
    ttft_s: PositiveFloat = Field(60.0, description="Seconds to a stream's first event, for each attempt.")
    gap_s: PositiveFloat = Field(9.0, description="Seconds of silence within a stream, once it has begun.")
    connect_s: PositiveFloat = Field(5.0, description="Seconds to connect.")
    max_stream_bytes: PositiveInt = Field(
        512 * 1024 * 1024, description="Bytes that a stream may have; one that goes on is broken off."
    )
    attempts: PositiveInt | None = Field(
        None, description="Calls for one request; by default one to each endpoint of each candidate."
    )
    max_calls: PositiveInt = Field(
        8, description="Calls that a [plan of several](plans/bounds.md) may make for a request; `attempts` is for each."
    )
    repeats: NonNegativeInt = Field(
        1, description="Further calls where all have failed in passing, each after a pause of up to five seconds."
    )


class RedisConfig(Written):
    """What replicas share: quotas, keys, caches, sessions, and which endpoints rest."""

    url: SecretStr = Field(description="`redis://`, `rediss://` or `unix://`, with password and database.")
    prefix: str = Field("pointsman", min_length=1, description="What every key begins with.")
    timeout_ms: PositiveFloat = Field(
        100.0, description="Milliseconds that an answer may take; then it counts as away."
    )
    quotas: Literal["open", "closed"] = Field(
        "open",
        description="While it is away: `open`, each replica counts for itself, and tells afterwards; `closed`, what a "
        "quota concerns is refused.",
    )


class GatewayConfig(Written):
    """The gateway: endpoints, models, signals, the log, and the policies to load."""

    server: ServerConfig = ServerConfig()
    providers: dict[Name, ProviderConfig] = Field(min_length=1)
    models: dict[Name, ModelConfig] = Field(min_length=1)
    signals: SignalsConfig = SignalsConfig()
    store: StoreConfig = StoreConfig()
    callers: dict[Name, CallerConfig] = Field(
        default_factory=dict, description="Callers with keys of their own, besides `server.api_keys`."
    )
    keys: KeysConfig | None = Field(None, description="Virtual keys; by default there are none.")
    jwt: JwtConfig | None = Field(None, description="Tokens of an identity provider; by default none are accepted.")
    data_classes: DataClassesConfig | None = Field(
        None, description="How confidential requests are; by default unclassed."
    )
    redis: RedisConfig | None = Field(None, description="By default nothing is shared: one replica.")
    quotas: tuple[QuotaConfig, ...] = Field((), description="Limits and budgets: see [quotas](quotas.md).")
    cache: CacheConfig = Field(CacheConfig(), description="Where answers are kept that policies may give again.")
    feedback: FeedbackConfig = Field(
        FeedbackConfig(), description="Who may rate answers, and how far that counts: see [feedback](feedback.md)."
    )
    implicit: ImplicitConfig = Field(ImplicitConfig(), description="What is read out of what callers do.")
    judging: JudgingConfig | None = Field(None, description="By default no answer is judged.")
    limits: LimitsConfig = Field(
        LimitsConfig(), description="For models that are asked by their own name, and policies that state none."
    )
    learning: LearningConfig = Field(LearningConfig(), description="How routers learn: see [learning](learning.md).")
    policies: tuple[str, ...] = Field((), description="Policy files.")

    @property
    def offered(self) -> tuple[str, ...]:
        """Return the models that a policy without a pool chooses among: all, and the efforts that they offer."""
        at_efforts = {f"{name}@{effort}" for name, model in self.models.items() for effort in model.efforts}
        return tuple(name for name in self.models if split(name)[1] == AS_ASKED or name in at_efforts)

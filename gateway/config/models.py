"""What users write, as pydantic models: strict about names, frozen, with a default wherever there is a sensible one.

Paths are relative to the file that they stand in. `configs/schema.json` is generated from here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    Tag,
)

#: What a policy or a model may be called; a colon would be taken for the dial (`auto:0.3`).
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@/-]{0,127}$")]


class Written(BaseModel):
    """The base of all that users write: unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, allow_inf_nan=False)


class ServerConfig(Written):
    """Where the gateway listens, and whom it serves."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    api_keys: tuple[SecretStr, ...] | SecretStr | None = Field(
        None,
        description="Keys that callers must show, as a list or separated by commas; none: every caller is served. "
        "Without keys the gateway listens on loopback addresses only.",
    )
    max_body_bytes: PositiveInt = Field(20 * 1024 * 1024, description="Larger request bodies get a 413.")
    body_timeout_s: PositiveFloat = Field(30.0, description="Seconds that a caller may be silent within a body.")
    drain_s: NonNegativeFloat = Field(30.0, description="Seconds that open requests are given when the gateway stops.")

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys that callers may show."""
        written = self.api_keys if isinstance(self.api_keys, tuple) else (self.api_keys,)
        secrets = [secret.get_secret_value() for secret in written if secret is not None]
        return tuple(key.strip() for secret in secrets for key in secret.split(",") if key.strip())


class EndpointConfig(Written):
    """An endpoint that speaks OpenAI's dialect."""

    vendor: str = Field(description="A row of the vendors' table; it supplies what is not written here.")
    base_url: str | None = Field(None, pattern=r"^https?://", description="Address, up to and with `/v1`.")
    api_key: SecretStr | None = Field(None, description="The key; by default the vendor's environment variable.")
    headers: dict[str, SecretStr] = Field(default_factory=dict, description="Further headers to send.")


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


class ModelConfig(Written):
    """A model of the pool."""

    provider: str = Field(description="A name under `providers`.")
    name: str | None = Field(None, description="What the provider calls it; by default its name here.")
    price: PriceConfig | None = Field(None, description="By default the catalogue's; in neither: unknown, never zero.")
    context_window: PositiveInt | None = Field(None, description="Tokens; by default the catalogue's.")


class EmbeddingConfig(Written):
    """The sentence encoder."""

    model: str = Field(
        "minilm",
        description="`minilm` (all-MiniLM-L6-v2, included), or any sentence-transformers model "
        "(needs the extra `sentence-transformers`).",
    )
    threads: PositiveInt = Field(1, description="CPU threads to encode with.")
    cache_entries: int = Field(4096, ge=0, description="Texts whose embeddings are kept.")


class SignalsConfig(Written):
    """What is found out about a request before it is routed."""

    embedding: EmbeddingConfig = EmbeddingConfig()
    deadline_ms: PositiveFloat = Field(
        250.0, description="A signal that takes longer is absent, and the router decides without it."
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

    timeout_s: PositiveFloat = Field(600.0, description="Seconds for the whole request, a stream included.")
    ttft_s: PositiveFloat = Field(60.0, description="Seconds to a stream's first event, for each attempt.")
    gap_s: PositiveFloat = Field(60.0, description="Seconds of silence within a stream.")
    connect_s: PositiveFloat = Field(5.0, description="Seconds to connect.")
    attempts: PositiveInt | None = Field(None, description="Calls for one request; by default one to each candidate.")


class GatewayConfig(Written):
    """The gateway: endpoints, models, signals, the log, and the policies to load."""

    server: ServerConfig = ServerConfig()
    providers: dict[Name, ProviderConfig] = Field(min_length=1)
    models: dict[Name, ModelConfig] = Field(min_length=1)
    signals: SignalsConfig = SignalsConfig()
    store: StoreConfig = StoreConfig()
    limits: LimitsConfig = Field(
        LimitsConfig(), description="For models that are asked by their own name, and policies that state none."
    )
    policies: tuple[str, ...] = Field((), description="Policy files.")


class PolicyConfig(Written):
    """A policy: what clients name as `model`, which models it may use, and who chooses."""

    name: Name = Field(description="What clients send as `model`.")
    description: str = Field("", description="Shown with `GET /v1/models/{name}`.")
    pool: tuple[Name, ...] | None = Field(None, min_length=1, description="Names under `models`; by default all.")
    router: dict[str, Any] = Field(description="`type` and its options: see docs/routers.md.")
    state: str | None = Field(
        None, description="Folder of the learned state; by default `state/NAME` beside the gateway's file."
    )
    fallback: tuple[Name, ...] | None = Field(
        None,
        description="Who is asked next, in this order, when the chosen model fails; by default the rest of the "
        "pool, likeliest first.",
    )
    limits: LimitsConfig | None = Field(None, description="What one request may take; by default the gateway's limits.")

"""What users write of keys and tokens, as pydantic models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat

from gateway.config.written import Written

#: Signatures by a private key that only the provider has. Those by a shared secret (HS256) are none, nor is `none`.
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
Claim = Annotated[str, Field(min_length=1, max_length=256)]


class KeysConfig(Written):
    """Virtual keys: made, changed and revoked while the gateway runs."""

    store: Literal["file", "redis"] = Field("file", description="Where they are kept; replicas share them in Redis.")
    path: str = Field("keys.db", description="The file (SQLite).")


class ClaimsConfig(Written):
    """In which claims a token says who its bearer is; a dotted path leads into objects (`realm_access.roles`)."""

    user: Claim = Field("sub", description="On whose behalf it calls; what rules see as `caller`.")
    team: Claim | None = Field(None, description="What rules see as `team`.")
    role: Claim | None = Field(None, description="What rules see as `role`.")
    tags: Claim | None = Field(None, description="What rules see as `caller.tags`.")
    models: Claim | None = Field(None, description="Models that may answer; a token without it may use none.")
    policies: Claim | None = Field(None, description="Names to ask for; a token without it may ask for none.")


class JwtConfig(Written):
    """Tokens of an identity provider that callers may show in place of a key."""

    issuer: str = Field(min_length=1, description="What tokens must have as `iss`, letter by letter.")
    audience: Annotated[tuple[Claim, ...], Field(min_length=1)] | Claim = Field(
        description="What tokens must have as `aud`, or among it; of several, one."
    )
    jwks_url: str | None = Field(
        None, description="Where the provider publishes its keys; by default what the issuer's own configuration says."
    )
    jwks_file: str | None = Field(None, description="A file of its keys instead.")
    algorithms: tuple[Algorithm, ...] = Field(("RS256", "ES256"), min_length=1, description="Signatures to accept.")
    claims: ClaimsConfig = Field(ClaimsConfig(), description="Where tokens say who calls.")
    required: dict[Claim, bool | int | float | str] = Field(
        default_factory=dict, description="Values that claims must have, or hold as one of several."
    )
    leeway_s: NonNegativeFloat = Field(30.0, le=300, description="Seconds that clocks may differ.")
    refresh_s: PositiveFloat = Field(600.0, description="Seconds between two looks at the provider's keys.")
    pause_s: PositiveFloat = Field(
        30.0, description="Seconds until the keys are fetched again for a token whose key is not known."
    )

    @property
    def audiences(self) -> tuple[str, ...]:
        """Return the audiences, one of which tokens must have."""
        return self.audience if isinstance(self.audience, tuple) else (self.audience,)

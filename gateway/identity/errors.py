"""What may be wrong with an identity provider.

GatewayError
└── ProviderAway    503    nobody can tell who signed a token
JwksError                  what the provider publishes cannot be used; never told to clients
"""

from __future__ import annotations

from gateway.errors import GatewayError


class ProviderAway(GatewayError):
    """The identity provider does not answer, and nobody can tell who signed the token."""

    status = 503
    code = "identity_provider_unavailable"


class JwksError(Exception):
    """What an identity provider publishes cannot be had, or cannot be used; the message says why."""

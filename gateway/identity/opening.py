"""Opens what verifies tokens, as the configuration has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.identity.bearer import ClaimNames
from gateway.identity.claims import Expected
from gateway.identity.keyset import Keyset
from gateway.identity.signers import parse_signers
from gateway.identity.sources import FileSource, WebSource
from gateway.identity.tokens import Tokens

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.config.key_models import JwtConfig


async def open_tokens(config: JwtConfig, folder: Path) -> Tokens:
    """Open it, with its keys fetched if the provider answers; paths are relative to `folder`.

    Raises `JwksError` for a file of keys that cannot be used: nobody but the operator can mend that.
    """
    if config.jwks_file is None:
        source: FileSource | WebSource = WebSource(config.issuer, config.jwks_url)
    else:
        source = FileSource(folder / config.jwks_file)
        parse_signers(await source.read(), config.algorithms)
    keyset = Keyset(source, config.algorithms, refresh_s=config.refresh_s, pause_s=config.pause_s)
    await keyset.watch()
    expected = Expected(config.issuer, frozenset(config.audiences), config.leeway_s, dict(config.required))
    return Tokens(keyset, config.algorithms, expected, ClaimNames(**config.claims.model_dump()))

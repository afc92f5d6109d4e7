"""What scopes may name: a scope that names what is not there would seem to hold, and mean nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.config.loader import did_you_mean
from gateway.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Collection

    from gateway.keys.key import Scopes


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The models, policies and data classes of a configuration."""

    models: Collection[str]
    policies: Collection[str]
    data_classes: Collection[str]

    def check(self, scopes: Scopes) -> None:
        """Raise `RequestError` for the first name that does not exist."""
        self._check_all("models", scopes.models or (), "model", self.models)
        self._check_all("deny_models", scopes.deny_models, "model", self.models)
        askable = {*self.policies, *self.models}
        self._check_all("policies", scopes.policies or (), "policy or model", askable)
        classes = () if scopes.data_class is None else (scopes.data_class,)
        self._check_all("data_class", classes, "data class", self.data_classes)

    def _check_all(self, param: str, names: Collection[str], kind: str, known: Collection[str]) -> None:
        for name in names:
            if name not in known:
                hint = did_you_mean(name, known)
                raise RequestError(f"No {kind} {name!r} exists; {hint}", param=param, code="invalid_value")

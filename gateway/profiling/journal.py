"""The journal of a profiling run: every answer as it came, so that an interrupted run goes on where it stopped.

JSON Lines. A header line holds a digest of the probe set and what each model was; a result line follows for every
answer. A run that goes on with further models writes a further header. The last line may be torn.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import TypeAdapter, ValidationError

from providers.types import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from gateway.config.models import EndpointConfig, LocalConfig, ModelConfig
    from gateway.pricing import Tariff


class JournalError(Exception):
    """A journal cannot be used for this run; the message names the file, the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking a model: a text or an error, what was used (None: not reported), and how long it took.

    `cached_tokens` is the part of `prompt_tokens` that was read from a cache. `verdict` is the chance that the answer
    is good, as a gate saw it, and `verdict_usd` what its own calls took; None where no gate was asked.
    """

    text: str | None
    error: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None
    latency_s: float
    cached_tokens: int | None = None
    verdict: float | None = None
    verdict_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A model's answer to a probe, graded. A score of None means that there was no answer, but an error."""

    model: str
    prompt_id: str
    score: float | None
    asked: Asked


@dataclass(frozen=True, slots=True)
class Header:
    """What a journal is about: the digest of the probe set, and a description by model."""

    journal: Literal[1]
    probes: str
    models: dict[str, str]


LINE: TypeAdapter[Header | Result] = TypeAdapter(Header | Result)


def described(model: ModelConfig, provider: EndpointConfig | LocalConfig, gate: Mapping[str, Any] | None = None) -> str:
    """Return what answers under a model's name, and the gate that looks at it; secrets are asterisks.

    What it charges, and at which other efforts it is offered, is no part of that.
    """
    looked = "" if gate is None else f" gate={json.dumps(gate)}"
    return f"{model.model_copy(update={'price': None, 'efforts': ()})!r} {provider!r}{looked}"


def charged(results: Sequence[Result], tariffs: Mapping[str, Tariff | None]) -> list[Result]:
    """Return the results with the costs that were unknown when they came, as far as tokens and tariff tell them."""
    return [_charged(result, tariffs[result.model]) for result in results]


class Journal:
    """An open journal: what it already held, and a place to append to.

    Raises `JournalError` for a file that is no journal, or one of another probe set or of other models under
    the same names.
    """

    def __init__(self, path: Path, digest: str, models: Mapping[str, str]) -> None:
        self.path = path
        #: The answers of earlier runs by (model, prompt_id), errors left out.
        self.done: dict[tuple[str, str], Result] = {}
        self._known: dict[str, str] = {}
        try:
            kept = self._read(digest)
            self._require_same(models)
            self._file = path.open("ab")
            self._file.truncate(kept)
        except OSError as error:
            raise JournalError(f"{path}: cannot be read or written ({error}); name another --out") from error
        if not models.keys() <= self._known.keys():
            self._write(Header(1, digest, dict(models)))

    def append(self, result: Result) -> None:
        """Write a result, and hand it to the system at once."""
        self._write(result)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _write(self, line: Header | Result) -> None:
        self._file.write(json.dumps(asdict(line)).encode() + b"\n")
        self._file.flush()

    def _read(self, digest: str) -> int:
        """Take in what the file holds; return the length in bytes that is worth keeping."""
        data = self.path.read_bytes() if self.path.exists() else b""
        lines = data.splitlines(keepends=True)
        kept = 0
        for number, line in enumerate(lines, 1):
            last = number == len(lines)
            if last and not line.endswith(b"\n"):
                break
            try:
                self._take(LINE.validate_json(line), digest, number)
            except ValidationError as error:
                if last and number > 1:
                    break
                raise JournalError(
                    f"{self.path}, line {number}: not a line of a journal; delete the file or name another --out"
                ) from error
            kept += len(line)
        return kept

    def _take(self, line: Header | Result, digest: str, number: int) -> None:
        if isinstance(line, Header):
            if line.probes != digest:
                raise JournalError(f"{self.path}: is the journal of another probe set; delete it or name another --out")
            self._known.update(line.models)
        elif number == 1:
            raise JournalError(f"{self.path}: has no header; delete it or name another --out")
        elif line.asked.error is None:
            self.done[line.model, line.prompt_id] = line

    def _require_same(self, models: Mapping[str, str]) -> None:
        for model, description in models.items():
            before = self._known.get(model, description)
            if before != description:
                raise JournalError(
                    f"{self.path}: model {model!r} was {before!r} and is now {description!r}; "
                    "delete the journal, name another --out, or rename the model"
                )


def _charged(result: Result, tariff: Tariff | None) -> Result:
    asked = result.asked
    if asked.cost_usd is not None or tariff is None or asked.prompt_tokens is None or asked.completion_tokens is None:
        return result
    cost = tariff.cost_usd(Usage(asked.prompt_tokens, asked.completion_tokens, asked.cached_tokens or 0))
    return replace(result, asked=replace(asked, cost_usd=float(cost)))

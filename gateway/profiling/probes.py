"""The probe set: prompts with a grader each, from a JSON-Lines file."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from gateway.profiling.graders import Constraints, Exact, Items, Json, Label, Number, Phrase, Program

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The set that comes with the package.
BUILT_IN = Path(__file__).with_name("probes.jsonl")
DEV_SHARE = 0.3
#: Chosen so that every task of the built-in set has between 25 % and 35 % of its probes in `dev`.
FOLD_SALT = "7540"

Fold = Literal["train", "dev"]
AnyGrader = Annotated[
    Constraints | Exact | Items | Json | Label | Number | Phrase | Program, Field(discriminator="kind")
]


class ProbeError(Exception):
    """A probe set cannot be read; the message names the file, the line and what is wrong with it."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True)
class Probe:
    """A prompt, and what a correct answer to it is.

    `reference` is an answer that scores 1 and `wrong` are answers that score less: they are there to test the
    grader, and no model sees them.
    """

    prompt_id: str
    task: str
    prompt: str
    grader: AnyGrader
    system: str | None = None
    max_tokens: int = 64
    reference: str | None = None
    wrong: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a probe that cannot be asked."""
        if not (self.prompt_id and self.task and self.prompt.strip()):
            raise ValueError("prompt_id, task and prompt must not be empty")
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, not {self.max_tokens}")


PROBE = TypeAdapter(Probe)


def load_probes(path: Path | None = None) -> tuple[Probe, ...]:
    """Read a probe set, the built-in one by default: a JSON object a line, blank lines aside.

    Raises `ProbeError` for a file that is missing or empty, a line that is no probe, and an id used twice.
    """
    path = path or BUILT_IN
    try:
        # Not `splitlines`: JSON may hold other line separators, such as U+2028, as they are.
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ProbeError(
            f"{path}: cannot be read as UTF-8 text ({error}); give the path of a JSON-Lines file"
        ) from error
    probes = tuple(_parse(path, number, line) for number, line in enumerate(lines, 1) if line.strip())
    _require_distinct(path, probes)
    return probes


def fold_of(probe: Probe) -> Fold:
    """Return the fold that a probe belongs to: about 30 % are `dev`, whatever else is in the set.

    It depends on the id alone, so that a probe stays where it is when others come and go.
    """
    digest = hashlib.sha256(f"{FOLD_SALT}:{probe.prompt_id}".encode()).digest()
    return "dev" if int.from_bytes(digest[:8], "big") < DEV_SHARE * 2**64 else "train"


def probes_digest(probes: Sequence[Probe]) -> str:
    """Return the sha256 of a probe set: of its prompts, limits and graders, in order."""
    digest = hashlib.sha256()
    for probe in probes:
        digest.update(PROBE.dump_json(probe) + b"\n")
    return digest.hexdigest()


def _parse(path: Path, number: int, line: str) -> Probe:
    try:
        return PROBE.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ProbeError(f"{path}, line {number}: {place or 'the line'}: {first['msg']}") from error


def _require_distinct(path: Path, probes: tuple[Probe, ...]) -> None:
    if not probes:
        raise ProbeError(f"{path}: holds no probe; write one JSON object a line")
    prompt_id, uses = Counter(probe.prompt_id for probe in probes).most_common(1)[0]
    if uses > 1:
        raise ProbeError(f"{path}: prompt_id {prompt_id!r} is used {uses} times; give every probe its own")

"""A Dockerfile as tests see it, and a build of it without a container engine.

The build carries out the steps of a stage and of those that it copies from, each stage in a folder of its own that
stands for `/`. Nothing is confined: absolute paths that the Dockerfile makes are moved below that folder, others are
the machine's. So it shows that the steps work in their order from what the build context has, and not what the base
image brings.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

STEP_LIMIT_S = 300
#: What the image has of its own; in a step these are moved.
OWN = re.compile(r"(?<![\w.])/(?=(?:opt/pointsman|build|var/lib/pointsman|etc/pointsman)\b)")


@dataclass(frozen=True)
class Step:
    """An instruction: its word in capitals, its options (`--from=build`), and the rest."""

    word: str
    options: dict[str, str]
    rest: str

    @property
    def words(self) -> list[str]:
        """Return the words of the rest, which is JSON (the exec form) or words between spaces."""
        return json.loads(self.rest) if self.rest.startswith("[") else shlex.split(self.rest)

    @property
    def is_exec(self) -> bool:
        """Tell whether it needs no shell."""
        return self.rest.removeprefix("CMD ").startswith("[")


@dataclass(frozen=True)
class Stage:
    """A stage: its name, what it begins with (an image, or a stage's name), and its steps."""

    name: str
    base: str
    steps: list[Step] = field(default_factory=list)

    def all(self, word: str) -> list[Step]:
        """Return the steps of a kind."""
        return [step for step in self.steps if step.word == word]


def stages(path: Path) -> dict[str, Stage]:
    """Return the stages of a file, by name, in order; `ARG`s before the first have their defaults put in."""
    found: dict[str, Stage] = {}
    arguments: dict[str, str] = {}
    for step in _steps(path.read_text(encoding="utf-8")):
        if step.word == "FROM":
            base, _, name = step.words
            base = re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], base)
            found[name] = Stage(name, base)
        elif not found:
            name, _, default = step.rest.partition("=")
            arguments[name] = default
        else:
            list(found.values())[-1].steps.append(step)
    return found


def _steps(text: str) -> list[Step]:
    joined = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    steps = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        word, rest = line.split(maxsplit=1)
        options = {}
        while option := re.match(r"--([\w-]+)=(\S+)\s+", rest):
            options[option[1]] = option[2]
            rest = rest[option.end() :]
        steps.append(Step(word.upper(), options, re.sub(r"\s+", " ", rest)))
    return steps


def lineage(all_stages: dict[str, Stage], name: str) -> list[Stage]:
    """Return a stage and those that it begins with, the first one first."""
    stage = all_stages[name]
    return [*(lineage(all_stages, stage.base) if stage.base in all_stages else []), stage]


def last(all_stages: dict[str, Stage], name: str, word: str) -> Step:
    """Return the step of a kind that holds in a stage."""
    return [step for stage in lineage(all_stages, name) for step in stage.all(word)][-1]


def sent(context: Path, ignored: Path) -> list[Path]:
    """Return the files of a context that its ignore file lets through, as BuildKit reads it: the last line counts."""
    lines = [line for line in ignored.read_text().splitlines() if line and not line.startswith("#")]
    found = []
    for path in (path for top in _tops(lines) for path in _files(context, top)):
        name = path.relative_to(context).as_posix()
        verdicts = [line.startswith("!") for line in lines if _matches(name, line.removeprefix("!"))]
        if verdicts and verdicts[-1]:
            found.append(path)
    return found


def _tops(lines: list[str]) -> list[str]:
    """Return what may be let through at all: looking through the rest would take long."""
    return [line.removeprefix("!") for line in lines if line.startswith("!")]


def _files(context: Path, pattern: str) -> list[Path]:
    return [
        file
        for found in context.glob(pattern)
        for file in ([found] if found.is_file() else found.rglob("*"))
        if file.is_file()
    ]


def _matches(name: str, pattern: str) -> bool:
    parts = name.split("/")
    if pattern.startswith("**/"):
        return any(fnmatch(part, pattern.removeprefix("**/")) for part in parts)
    depth = pattern.count("/") + 1
    return fnmatch("/".join(parts[:depth]), pattern)


class Build:
    """Carries out stages below a folder. `environment` is what the machine's own commands need."""

    def __init__(self, file: Path, context: Path, folder: Path, environment: dict[str, str]) -> None:
        self.stages = stages(file)
        self.folder = folder
        self._environment = environment
        self._context = folder / "context"
        for path in sent(context, file.with_name(f"{file.name}.dockerignore")):
            target = self._context / path.relative_to(context)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)

    def root(self, stage: Stage) -> Path:
        """Return what stands for `/` in a stage. One that begins with another goes on in its folder."""
        return self.folder / lineage(self.stages, stage.name)[0].name

    def run(self, name: str) -> Path:
        """Carry out a stage and all that it needs; return what stands for `/` in it."""
        stage = self.stages[name]
        if stage.base in self.stages:
            self.run(stage.base)
        for other in {step.options["from"] for step in stage.all("COPY") if "from" in step.options}:
            if not self.root(self.stages[other]).exists():
                self.run(other)
        root = self.root(stage)
        root.mkdir(exist_ok=True)
        environment, folder = dict(self._environment), root
        for step in stage.steps:
            if step.word == "ENV":
                environment |= {name: self.moved(value, root) for name, value in _variables(step)}
            elif step.word == "WORKDIR":
                folder = root / step.rest.lstrip("/")
                folder.mkdir(parents=True, exist_ok=True)
            elif step.word == "COPY":
                self._copy(step, root, folder)
            elif step.word == "RUN":
                self._do(step, root, folder, environment)
        return root

    def variables(self, name: str) -> dict[str, str]:
        """Return what a container of a stage has in its environment, besides what the base image says."""
        found = lineage(self.stages, name)
        root = self.root(self.stages[name])
        pairs = [pair for stage in found for step in stage.all("ENV") for pair in _variables(step)]
        return {variable: self.moved(value, root) for variable, value in pairs}

    def command(self, name: str, word: str) -> list[str]:
        """Return the words of what a stage runs: its ENTRYPOINT, CMD or HEALTHCHECK."""
        words = json.loads(last(self.stages, name, word).rest.removeprefix("CMD "))
        return [self.moved(part, self.root(self.stages[name])) for part in words]

    def _copy(self, step: Step, root: Path, folder: Path) -> None:
        *sources, target = step.words
        origin = self.root(self.stages[step.options["from"]]) if "from" in step.options else self._context
        to = root / target.lstrip("/") if target.startswith("/") else folder / target
        for source in sources:
            path = origin / source.lstrip("/")
            if path.is_dir():
                # Links, for half a gigabyte of files that nobody changes.
                shutil.copytree(path, to, symlinks=True, dirs_exist_ok=True, copy_function=os.link)
            else:
                place = to / path.name if target.endswith("/") else to
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, place)

    def _do(self, step: Step, root: Path, folder: Path, environment: dict[str, str]) -> None:
        command = self.moved(step.rest, root)
        ended = subprocess.run(
            ["/bin/sh", "-euc", command],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=STEP_LIMIT_S,
            check=False,
        )
        assert 0 == ended.returncode, f"RUN {command}\n{ended.stdout}{ended.stderr}"

    def moved(self, text: str, root: Path) -> str:
        """Return a text whose paths are below what stands for `/`."""
        return OWN.sub(f"{root}{os.sep}", text)


def _variables(step: Step) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (word.partition("=") for word in step.words)]

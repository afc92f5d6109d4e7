"""Reads YAML and keeps, for every value, the line it stands on.

`${NAME}` in a text is replaced by the environment variable; a missing one is an error that names it.
`${NAME:-other}` gives another value instead, perhaps none.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")

#: Values that a file may have. Aliases of aliases stand for ever more of them (the "billion laughs").
MOST_VALUES = 100_000
#: How deeply values may stand in one another.
MOST_LEVELS = 100

#: Where a value stands in a document: keys and indices from the top.
Place = tuple[str | int, ...]


class ConfigError(Exception):
    """The configuration cannot be used. Each line of the message has the form `file:line: where: what`."""


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: its data, the line of each value, and the sha256 of the text that they were read from."""

    path: Path
    data: Any
    lines: Mapping[Place, int] = field(repr=False)
    digest: str = ""

    def error(self, place: Place, message: str) -> ConfigError:
        """Return an error about the value at `place` (or, where there is none, about what encloses it)."""
        return ConfigError(self.at(place, message))

    def at(self, place: Place, message: str) -> str:
        """Return a message with the file, the line and the name of the value at `place`."""
        line = next(self.lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in self.lines)
        name = ".".join(str(part) for part in place)
        return f"{self.path}:{line}: {name + ': ' if name else ''}{message}"


def load(path: Path, environment: Mapping[str, str]) -> Document:
    """Read a YAML file.

    Raises `ConfigError` where the file is missing, is no YAML, names a key twice, or names a variable that
    the environment lacks.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 (byte {error.start})") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError(f"{path}:{mark.line + 1 if mark else 1}: is not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}:1: is not YAML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}:1: is nested too deeply") from error
    if node is None:
        raise ConfigError(f"{path}:1: is empty")
    reader = _Reader(path, environment)
    return Document(path, reader.read(node, ()), reader.lines, hashlib.sha256(text.encode()).hexdigest())


class _Reader:
    """Turns YAML nodes into plain values, noting the line of each."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self.lines: dict[Place, int] = {}
        self._path = path
        self._environment = environment
        self._constructor = yaml.SafeLoader("")
        self._within: list[yaml.Node] = []

    def read(self, node: yaml.Node, place: Place) -> Any:
        self.lines[place] = node.start_mark.line + 1
        if node in self._within:
            raise self._error(place, "an alias may not contain itself")
        if len(self.lines) > MOST_VALUES:
            raise self._error(place, f"the file stands for more than {MOST_VALUES} values: do its aliases multiply?")
        if len(self._within) > MOST_LEVELS:
            raise self._error(place, f"is nested too deeply: more than {MOST_LEVELS} levels")
        self._within.append(node)
        value = self._value(node, place)
        self._within.pop()
        return value

    def _value(self, node: yaml.Node, place: Place) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*place, n)) for n, item in enumerate(node.value)]
        try:
            value = self._constructor.construct_object(node)
        except (yaml.YAMLError, ValueError, LookupError, AttributeError) as error:
            # PyYAML takes for granted that what a tag names (`!!timestamp`, `!!bool`, `!!int`) looks like one.
            raise self._error(place, f"cannot be read: {error}") from error
        return self._substituted(value, place) if isinstance(value, str) else value

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            inner = (*place, key)
            if not isinstance(key, str):
                raise self._error(place, "a key must be a text")
            if key in mapping:
                self.lines[inner] = key_node.start_mark.line + 1
                raise self._error(inner, "is there twice")
            mapping[key] = self.read(value_node, inner)
            self.lines[inner] = key_node.start_mark.line + 1
        return mapping

    def _substituted(self, text: str, place: Place) -> str | None:
        def value_of(match: re.Match[str]) -> str:
            name, default = match["name"], match["default"]
            value = self._environment.get(name) or default
            if value is None:
                raise self._error(place, f"the environment variable {name} is not set")
            return value

        substituted = _VARIABLE.sub(value_of, text)
        return None if substituted == "" and text else substituted

    def _error(self, place: Place, message: str) -> ConfigError:
        return Document(self._path, None, self.lines).error(place, message)


def did_you_mean(name: str, known: Collection[str]) -> str:
    """Return a hint: the known name that is nearest, or else all of them."""
    if near := difflib.get_close_matches(name, known, n=1):
        return f"did you mean {near[0]!r}?"
    return f"known: {', '.join(sorted(known)) or 'none'}"

"""The options of a component: its constructor's arguments, read from the signature."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["router", "estimator", "rule", "utility", "costs", "gate"]

#: The kind that each annotation asks for. An argument of such a type is written as a mapping with `type`; one that
#: is a `Sequence` of them, as a list of such mappings.
KINDS: Mapping[str, Kind] = {
    "Router": "router",
    "Estimator": "estimator",
    "Rule": "rule",
    "Utility": "utility",
    "Costs": "costs",
    "Gate": "gate",
}

#: Classes accepted for an annotation, by the annotation's name. What is not listed is not checked here.
_ACCEPTED: Mapping[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "None": (type(None),),
    "Mapping": (Mapping,),
    "Sequence": (list, tuple),
} | dict.fromkeys(KINDS, (Mapping,))


class ComponentError(ValueError):
    """A configuration asks for something that cannot be built.

    `path` is where, by the keys of the configuration (`router.estimator.neighbours`), empty where it is no
    configuration's fault; `problem` says what is wrong, and what to write instead.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path = path
        self.problem = problem


class UnknownComponent(ComponentError):
    """No component has that name."""


class BadOption(ComponentError):
    """An option is unknown, missing, or of the wrong type or value."""


@dataclass(frozen=True, slots=True)
class Option:
    """One constructor argument. `type` is its annotation, without module names; `default` if not required."""

    name: str
    type: str
    required: bool
    default: object = None

    @property
    def kind(self) -> Kind | None:
        """Return the kind of the component, or of each in the list; None where it is no component."""
        return next((KINDS[name] for name in re.findall(r"\w+", self.type) if name in KINDS), None)

    @property
    def many(self) -> bool:
        """Tell whether it is a list of components."""
        return self.kind is not None and "Sequence[" in self.type


def options_of(component: Callable[..., object]) -> tuple[Option, ...]:
    """Return the options of a class, in the order of its constructor.

    Raises `TypeError` for a constructor that takes any number of arguments: nothing could be checked.
    """
    parameters = inspect.signature(component).parameters.values()
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        raise TypeError(f"{component!r} must name its constructor's arguments, without * or **")
    return tuple(_option(parameter) for parameter in parameters)


def check_options(options: Sequence[Option], given: Mapping[str, Any], path: str) -> None:
    """Raise `BadOption` for what is unknown, missing or of the wrong type; `path` begins the message."""
    names = [option.name for option in options]
    for key in given:
        if key not in names:
            raise BadOption(f"{path}.{key}", f"unknown option; {_hint(key, names)}")
    for option in options:
        if option.name in given:
            _check_type(option, given[option.name], path)
        elif option.required:
            raise BadOption(f"{path}.{option.name}", f"is required ({option.type})")


def _option(parameter: inspect.Parameter) -> Option:
    annotation = parameter.annotation
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    required = parameter.default is parameter.empty
    return Option(parameter.name, text, required, None if required else parameter.default)


def _check_type(option: Option, value: object, path: str) -> None:
    """Compare a value with the outermost name of each alternative of the annotation, and the parts of a list."""
    outer = [part.split("[")[0].strip().rpartition(".")[2] for part in option.type.split("|")]
    if not any(name not in _ACCEPTED or _is(value, name) for name in outer):
        raise BadOption(f"{path}.{option.name}", f"must be {_wanted(option)}, not {value!r}")
    if option.many and isinstance(value, Sequence):
        for place, part in enumerate(value):
            if not isinstance(part, Mapping):
                raise BadOption(f"{path}.{option.name}[{place}]", f"must be a mapping with 'type', not {part!r}")


def _wanted(option: Option) -> str:
    if option.kind is None:
        return option.type
    return "a list of mappings with 'type'" if option.many else "a mapping with 'type'"


def _is(value: object, name: str) -> bool:
    """Tell whether a value fits; True and False are no numbers here."""
    return isinstance(value, _ACCEPTED[name]) and (name == "bool" or not isinstance(value, bool))


def _hint(key: str, names: Sequence[str]) -> str:
    if close := get_close_matches(key, names, n=1):
        return f"did you mean {close[0]!r}?"
    return f"known are {', '.join(names)}" if names else "there are none"

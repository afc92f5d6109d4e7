"""What a signal is: a small module that finds out one thing about a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from gateway.signals.request import Prompt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gateway.signals.request import Message
    from routers.types import Feature, FloatArray


class Kind(Enum):
    """What kind of value a feature has, which says how a rule may ask for it."""

    NUMBER = "number"
    TEXT = "text"
    TRUTH = "true or false"
    TEXTS = "list of texts"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as far as the key tells. An empty name is a caller that nobody has named."""

    name: str = ""
    role: str = ""
    team: str = ""
    tags: tuple[str, ...] = ()


#: A caller that nobody has named.
NOBODY = Caller()


@dataclass(slots=True)
class Request:
    """What signals are read from. Nobody changes it.

    `body` is the parsed chat completion request, `text` the last user turn, `at` when it came (with a time zone).
    `headers` have lower-case names, and are without what is secret (`authorization`, `cookie` and the like). `known` is
    what the body's messages hold, where that was found before.
    """

    body: Mapping[str, Any]
    text: str
    at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    caller: Caller = NOBODY
    known: Prompt | None = field(default=None, repr=False, compare=False)

    @property
    def prompt(self) -> Prompt:
        """Return what the body's messages hold: all signals share it, as going through the messages takes longest."""
        if self.known is None:
            # Two threads may both find it; they find the same.
            self.known = Prompt(self.body)
        return self.known

    @property
    def messages(self) -> list[Message]:
        """Return the messages that are objects, as a valid request's all are."""
        return self.prompt.messages


class Signal(Protocol):
    """Finds out one thing about a request, and says so when it does not know."""

    @property
    def name(self) -> str:
        """Return its name, under `signals` in the configuration."""
        ...

    @property
    def provides(self) -> Mapping[str, Kind]:
        """Return the features that it may give: their names, as in rules, and what kind of value each has."""
        ...

    @property
    def reads_embedding(self) -> bool:
        """Tell whether it reads the embedding of the request's text."""
        ...

    @property
    def blocking(self) -> bool:
        """Tell whether it may take longer than 0.3 ms on a long request: then it is read in a thread."""
        ...

    def read(self, request: Request, embedding: FloatArray | None, /) -> dict[str, Feature]:
        """Return what it found, by feature; one that it does not know is left out.

        Pure, and safe to call from any thread. `embedding` is a unit vector `[d]`; None where it is not there.
        """
        ...

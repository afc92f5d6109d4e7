"""`pointsman explain`: who would answer a request, and how that is decided. Nothing is sent."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from gateway.cli.log import moment
from gateway.cli.options import DEFAULT_CONFIG, Config

if TYPE_CHECKING:
    from gateway.config.files import Files
    from gateway.deciding import Ask, Decider
    from providers.types import ChatRequest

#: Signals have this long unless said otherwise: what is late when it is served should be seen here.
DEADLINE_MS = 10_000.0
#: The policy of a text on the command line.
POLICY = "auto"
#: A console that is none is taken to be so wide.
WIDTH = 120

Text = Annotated[str | None, typer.Argument(help="The request: what the user says.", show_default=False)]
PolicyName = Annotated[
    str | None, typer.Option(help=f"What clients send as `model`; by default the body's, or {POLICY!r}.")
]
Header = Annotated[
    list[str] | None, typer.Option(metavar="NAME=VALUE", help="A header of the request; may be given several times.")
]
Body = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="A whole chat completion request, as JSON.")
]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the command line gives it. `caller` is a name under `callers`."""

    chat: ChatRequest
    headers: dict[str, str]
    caller: str | None
    at: datetime


def command(  # noqa: PLR0913 - there is one for each option
    text: Text = None,
    *,
    policy: PolicyName = None,
    header: Header = None,
    body: Body = None,
    caller: Annotated[str | None, typer.Option(help="A name under `callers`, whose key is shown.")] = None,
    at: Annotated[str | None, typer.Option(help="When it comes, as an ISO time; now by default.")] = None,
    deadline_ms: Annotated[float, typer.Option(min=0.001, help="What signals have; 10 s by default.")] = DEADLINE_MS,
    as_json: Annotated[bool, typer.Option("--json", help="Print what `POST /v1/route` returns.")] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Explain who would answer a request: signals, rules, who is removed and why, and what is expected of the others.

    Nothing is sent and nothing is logged; no model is started and no key is needed. The gateway is taken to have just
    begun: no model rests, and no session has a model that it would stay with.
    """
    from gateway.cli.explained import explained
    from gateway.config.files import read_files

    if (text is None) == (body is None):
        raise typer.BadParameter("give either a text or --body")
    files = read_files(config, os.environ)
    asked = Asked(_chat(text, body, policy), _headers(header or []), caller, moment(at or "0s", datetime.now(UTC)))
    decision = asyncio.run(_decide(files, asked, deadline_ms))
    if as_json:
        typer.echo(json.dumps(decision, indent=1))
        return
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    for part in explained(decision, files.config.signals.deadline_ms):
        console.print(part)


def _chat(text: str | None, body: Path | None, policy: str | None) -> ChatRequest:
    """Return the request; a policy that is named stands in for the body's `model`."""
    from gateway.asking import chat_of, checked
    from providers.chat import InvalidBody, edited, parse_chat

    if body is None:
        return chat_of({"model": policy or POLICY, "messages": [{"role": "user", "content": text}]})
    try:
        chat = parse_chat(body.read_bytes())
    except InvalidBody as error:
        raise typer.BadParameter(f"--body: {body}: {error}") from error
    if policy is not None:
        chat = edited(chat, {"model": policy})
    return checked(chat)


def _headers(written: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for one in written:
        name, equals, value = one.partition("=")
        if not equals or not name.strip():
            raise typer.BadParameter(f"--header: {one!r} is not of the form NAME=VALUE")
        name = name.strip().lower()
        # One that comes twice is one whose values are joined (RFC 9110, section 5.3).
        headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    return headers


async def _decide(files: Files, asked: Asked, deadline_ms: float) -> dict[str, Any]:
    """Return the decision, or the refusal, with its trace. Raises `RequestError` for what is no request at all."""
    from gateway.asking import ask_of, chat_of
    from gateway.errors import RequestError
    from gateway.explanation import explain, explain_refusal
    from gateway.rehearsal import access_named, fresh_world, open_decider

    access = access_named(files.config, asked.caller)
    async with open_decider(files, deadline_ms) as decider:
        ask = ask_of(asked.chat, asked.headers, access, asked.at, decider)
        warm = chat_of({"model": asked.chat.model, "messages": [{"role": "user", "content": "."}]})
        await _warm_up(decider, ask_of(warm, {}, access, asked.at, decider))
        try:
            return explain(await decider.decide(ask, fresh_world()), trace=True)
        except RequestError as error:
            if error.trace is None:
                raise
            return explain_refusal(error, error.trace, traced=True)


async def _warm_up(decider: Decider, ask: Ask) -> None:
    """Decide once for nothing: what is loaded at the first request would be taken for what every request costs."""
    from gateway.errors import RequestError
    from gateway.rehearsal import fresh_world

    with suppress(RequestError):
        await decider.decide(ask, fresh_world())

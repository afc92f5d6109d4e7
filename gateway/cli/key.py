"""`pointsman key`: virtual keys, made and withdrawn in their store, whether a gateway runs or not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from gateway.cli.options import DEFAULT_CONFIG, Config

if TYPE_CHECKING:
    from gateway.keys.registry import Issued

app = typer.Typer(help="Virtual keys: what callers show, made and withdrawn at any time.", no_args_is_help=True)

#: A console that is none is taken to be so wide.
WIDTH = 160

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reference = Annotated[str, typer.Argument(metavar="KEY", help="The key's id, or its name.")]
Texts = list[str] | None
Model = Annotated[Texts, typer.Option(metavar="NAME", help="A model that may answer; by default all. Repeatable.")]
DenyModel = Annotated[Texts, typer.Option(metavar="NAME", help="A model that may not answer. Repeatable.")]
Policy = Annotated[Texts, typer.Option(metavar="NAME", help="What may be asked for; by default all. Repeatable.")]
Tag = Annotated[Texts, typer.Option(metavar="TAG", help="What rules see in `caller.tags`. Repeatable.")]
Quota = Annotated[
    Texts, typer.Option(metavar="QUOTA", help="'1000 requests/day', '5 usd/month', '4 concurrent'. Repeatable.")
]
Expires = Annotated[
    str | None, typer.Option(help="When it ends: an age from now (15m, 24h, 30d) or an ISO time; by default never.")
]


@app.command("create")
def create(  # noqa: PLR0913 - there is one for each option
    name: Annotated[str, typer.Argument(help="What it is called.")],
    *,
    model: Model = None,
    deny_model: DenyModel = None,
    policy: Policy = None,
    data_class: Annotated[str | None, typer.Option(help="The least data class that requests count as.")] = None,
    max_cost_usd: Annotated[float | None, typer.Option(help="Most that one answer may be expected to cost.")] = None,
    role: Annotated[str, typer.Option(help="What rules see as `role`.")] = "",
    team: Annotated[str, typer.Option(help="What rules see as `team`.")] = "",
    user: Annotated[str, typer.Option(help="On whose behalf the key is used.")] = "",
    tag: Tag = None,
    debug: Annotated[bool, typer.Option("--debug", help="Let the bearer see how decisions were made.")] = False,
    expires: Expires = None,
    quota: Quota = None,
    as_json: AsJson = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Make a key, and print its secret: the only time that anybody sees it."""
    from gateway.cli import key_options
    from gateway.cli.key_store import with_keys

    at = datetime.now(UTC)
    given: dict[str, Any] = {
        "name": name,
        "models": model,
        "deny_models": deny_model or (),
        "policies": policy,
        "data_class": data_class,
        "max_cost_usd": max_cost_usd,
        "role": role,
        "team": team,
        "user": user,
        "tags": tag or (),
        "debug": debug,
        "expires_at": None if expires is None else key_options.until(expires, at),
        "quotas": [key_options.quota(text) for text in quota or ()],
    }
    new = key_options.new_key(given)
    _say_issued(with_keys(config, lambda registry: registry.create(new, at)), at, as_json=as_json)


@app.command("list")
def list_keys(
    *,
    every: Annotated[bool, typer.Option("--all", help="Also those that were revoked.")] = False,
    as_json: AsJson = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """List the keys, the oldest first."""
    from gateway.cli.key_lines import table
    from gateway.cli.key_store import with_keys
    from gateway.keys.shown import shown_key

    at = datetime.now(UTC)
    found = with_keys(config, lambda registry: registry.all())
    keys = [shown_key(key, at) for key in found if every or key.revoked_at is None]
    if as_json:
        typer.echo(json.dumps(keys, indent=1))
        return
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    console.print(table(keys))


@app.command("show")
def show(key: Reference, *, as_json: AsJson = False, config: Config = DEFAULT_CONFIG) -> None:
    """Show what a key allows, and how it does."""
    from gateway.cli.key_store import with_keys
    from gateway.keys.shown import shown_key

    found = with_keys(config, lambda registry: registry.find(key))
    _say(shown_key(found, datetime.now(UTC)), as_json=as_json)


@app.command("rotate")
def rotate(
    key: Reference,
    *,
    grace: Annotated[str, typer.Option(help="How long the old secret stays good: 0s, 15m, 24h, 7d.")] = "24h",
    as_json: AsJson = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Give a key another secret, and print it. Id, name, scopes and budgets stay."""
    from gateway.cli.key_options import rotation, span
    from gateway.cli.key_store import with_keys

    at = datetime.now(UTC)
    lasts = span(grace, at)
    rotation(lasts)
    _say_issued(with_keys(config, lambda registry: registry.rotate(key, lasts, at)), at, as_json=as_json)


@app.command("revoke")
def revoke(key: Reference, *, as_json: AsJson = False, config: Config = DEFAULT_CONFIG) -> None:
    """Revoke a key for good: every gateway refuses it within a second."""
    from gateway.cli.key_store import with_keys
    from gateway.keys.shown import shown_key

    at = datetime.now(UTC)
    _say(shown_key(with_keys(config, lambda registry: registry.revoke(key, at)), at), as_json=as_json)


def _say_issued(made: Issued, at: datetime, *, as_json: bool) -> None:
    from gateway.keys.shown import shown_key

    _say(shown_key(made.key, at) | {"secret": made.secret}, as_json=as_json)
    typer.echo("The secret is not stored: keep it now, it cannot be shown again.", err=True)


def _say(key: dict[str, Any], *, as_json: bool) -> None:
    from gateway.cli.key_lines import lines

    typer.echo(json.dumps(key, indent=1) if as_json else "\n".join(lines(key)))

"""`pointsman promote`, `rollback` and `status`: candidates, moved and looked at whether a gateway runs or not."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.options import DEFAULT_CONFIG, Config

if TYPE_CHECKING:
    from gateway.config.files import Files

PolicyName = Annotated[str, typer.Argument(metavar="POLICY", help="The policy whose candidate is meant.")]
Why = Annotated[str, typer.Option(help="The reason, for the log.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def promote(
    policy: PolicyName,
    *,
    to: Annotated[
        str | None, typer.Option(help="A state: shadow, canary, ramp, live; by default the next one.")
    ] = None,
    why: Why = "",
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Move a policy's candidate up a stage, or into a state; after a rollback it begins anew.

    A gateway that runs follows within two seconds.
    """
    _move(config, policy, to, why)


def rollback(policy: PolicyName, *, why: Why = "", config: Config = DEFAULT_CONFIG) -> None:
    """Take a policy's candidate back: it serves nothing until it is promoted again. A gateway follows within 2 s."""
    _move(config, policy, "rolled_back", why)


def status(
    policy: Annotated[str | None, typer.Argument(metavar="[POLICY]", help="By default all with a candidate.")] = None,
    *,
    as_json: AsJson = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Show how far candidates have come: state, share, each test with its bounds, and what is still needed."""
    from gateway.cli.promotion_lines import lines
    from gateway.config.files import read_files

    found = asyncio.run(_status(read_files(config, os.environ), policy))
    typer.echo(json.dumps(found, indent=1) if as_json else "\n".join(line for one in found for line in lines(one)))


def _move(config: Config, policy: str, to: str | None, why: str) -> None:
    from gateway.config.files import read_files

    typer.echo(asyncio.run(_moved(read_files(config, os.environ), policy, to, why)))


async def _moved(files: Files, policy: str, to: str | None, why: str) -> str:
    from gateway.promotion.reading import opened, rules_named
    from gateway.promotion.steering import Wish, steer

    rules = rules_named(files, policy)
    async with opened(files, read_only=False) as (register, _):
        made = await steer(register, rules, None, Wish(to, f"operator {getpass.getuser()}", why), datetime.now(UTC))
    return f"{made.version}: {made.before} -> {made.after}, {made.share:.0%} of the requests of {policy}"


async def _status(files: Files, policy: str | None) -> list[dict[str, Any]]:
    from gateway.promotion.reading import all_rules, opened, read_sums, rules_named
    from gateway.promotion.shown import shown

    wanted = all_rules(files) if policy is None else [rules_named(files, policy)]
    async with opened(files, read_only=True) as (register, log):
        found = []
        for rules in wanted:
            standing = await register.standing(rules.policy, None)
            found.append(shown(rules, standing, await read_sums(files, rules, standing, register, log)))
        return found

"""The command `pointsman`. One file a subcommand; heavy imports wait until their subcommand runs."""

from gateway.cli.main import main

__all__ = ["main"]

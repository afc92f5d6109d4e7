"""The calibration of judges and signs as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.judging.agreement import Interval
    from gateway.judging.calibration import Calibration, Trustworthiness

#: What stands where a figure is not defined, or nobody can tell yet.
NONE = "-"
COLUMNS = ("n", "said", "people", "agreement", "AUC", "ECE", "kappa", "correlation", "bias", "with length", "trust")


def calibration_grids(calibration: Calibration) -> Iterator[Table]:
    """Yield the table of judges and signs, and that of biases within groups, if there are any."""
    table = Table(title=f"Judges and signs, held against people's ratings of {calibration.rated} answers")
    table.add_column("who")
    for column in COLUMNS:
        table.add_column(column, justify="right", no_wrap=column in ("n", "trust"))
    for voice in calibration.voices:
        table.add_row(voice.name, *cells(voice))
    yield table
    if groups := [(voice.name, group) for voice in calibration.voices for group in voice.groups]:
        biases = Table("who", "of", "group", "n", "bias", title="By how much more is said than people say")
        for name, group in groups:
            biases.add_row(name, group.kind, group.name, str(group.n), shown(group.bias))
        yield biases


def cells(voice: Trustworthiness) -> list[str]:
    """Return a judge's or a sign's row, without its name."""
    trust = "not enough data" if voice.trust is None else f"{voice.trust:.2f}"
    figures = (voice.agreement, voice.auc, voice.ece, voice.kappa, voice.correlation, voice.bias, voice.length)
    return [str(voice.n), f"{voice.said:.2f}", shown(voice.human), *map(shown, figures), trust]


def shown(interval: Interval | None) -> str:
    """Return a value with its interval."""
    if interval is None:
        return NONE
    return f"{interval.value:.2f} ({interval.low:.2f} to {interval.high:.2f})"

"""Replays as bandits in the form of a report: plain JSON values, whose schema is in docs/evaluation.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gateway.evaluation.report import finite
from routers.evaluation.change import worlds_of
from routers.evaluation.off_policy.student import quantile
from routers.evaluation.recovery import recovery

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from gateway.evaluation.bench import Bench
    from gateway.evaluation.online.jobs import Informed, Played
    from gateway.evaluation.online.market import Market
    from gateway.evaluation.online.settings import Online
    from gateway.evaluation.settings import Settings
    from routers.evaluation.change import World

    Column = NDArray[np.float64]
    Entry = dict[str, Any]

VERSION: Final = 1
#: The points of a curve.
POINTS: Final = 120
COVERAGE: Final = 0.95


def document(
    command: Sequence[str], now: datetime, settings: Settings, online: Online, sections: Mapping[str, list[Entry]]
) -> Entry:
    """Return the whole report; what is not a number becomes None."""
    telling = online.telling
    content: Entry = {
        "object": "online.evaluation",
        "version": VERSION,
        "created": now.isoformat(),
        "command": list(command),
        "settings": {
            "seeds": settings.seeds,
            "price": online.price,
            "known_prices": online.known_prices,
            "warm": online.warm,
            "batch": telling.batch,
            "eager": telling.eager,
            "delay": telling.delay,
            "missing": telling.missing,
            "interval_s": online.interval_s,
            "changes": [str(change) for change in online.changes],
        },
        **sections,
    }
    plain: Entry = finite(content)
    return plain


def table_entry(bench: Bench, market: Market, settings: Settings) -> Entry:
    """Return what the report says of a table: its rows, its models, and what money is worth on it."""
    rewards, costs = market.stream.rewards.mean(axis=0), market.stream.costs_usd.mean(axis=0)
    return {
        "name": bench.name,
        "path": str(bench.table.path),
        "sha256": bench.sha256,
        "stream_fold": settings.train_fold,
        "kept_fold": settings.test_fold,
        "n_stream": market.stream.n,
        "n_kept": market.kept.n,
        "incomplete_removed": market.incomplete,
        "rewards_per_usd": market.rate,
        "models": [
            {"model": model, "quality": float(rewards[i]), "cost_usd": float(costs[i])}
            for i, model in enumerate(market.stream.models)
        ],
    }


@dataclass(frozen=True, slots=True)
class Course:
    """What one router did on one table, from every seed, beside what it would have done with full information."""

    played: Sequence[Played]
    informed: Informed
    market: Market
    online: Online

    def entry(self, table: str) -> Entry:
        """Return its entry in the report."""
        passes = [one.passed for one in self.played]
        return {
            "table": table,
            "router": self.informed.router,
            "learns_by": "sums" if self.played[0].summed else "fits",
            "n": len(passes[0].net),
            "best_fixed": sorted({self.market.stream.models[one.best] for one in passes}),
            "net": several([float(one.net.mean()) for one in passes]),
            "beyond_best": several([one.beyond_best for one in passes]),
            "beyond_full": several([float(-self._shortfall(one, one.passed.net).mean()) for one in self.played]),
            "final": self._final(),
            "changes": self._changes(),
            "regret": {
                "best_fixed": curve([one.regret for one in passes]),
                "full_information": curve([np.cumsum(self._shortfall(one, one.passed.net)) for one in self.played]),
            },
        }

    def _worlds(self, n: int) -> NDArray[np.intp]:
        """Return the number of the world of each request."""
        found = np.zeros(n, np.intp)
        for number, (start, _) in enumerate(worlds_of(self.market.world(self.online.changes), self.online.changes, n)):
            found[start:] = number
        return found

    def _shortfall(self, one: Played, earned: Column) -> Column:
        """Return by how much each request earned less than with full information."""
        n = len(one.order)
        chosen = self.informed.chosen[self._worlds(n), one.order]
        return one.passed.every[np.arange(n), chosen] - earned

    def _final(self) -> Entry:
        """Return the final policies beside the best fixed model of the rows kept, and beside full information."""
        world = self._last
        kept = world.seen(self.market.kept)
        net = (kept.rewards - self.market.rate * kept.costs_usd).astype(np.float64).mean(axis=0)
        best = max(float(net[place]) for place, model in enumerate(world.models) if model in world.present)
        gains, full = [one.final - best for one in self.played], self.informed.final - best
        return {
            "best_fixed": best,
            "beyond_best": several(gains),
            "full_information": full,
            "share": float(np.mean(gains)) / full if full > 0 else None,
        }

    @property
    def _last(self) -> World:
        return worlds_of(self.market.world(self.online.changes), self.online.changes, len(self.played[0].order))[-1][1]

    def _changes(self) -> list[Entry]:
        n = len(self.played[0].order)
        worlds = self._worlds(n)
        shortfall = np.mean([self._shortfall(one, one.passed.expected) for one in self.played], axis=0)
        unaware = np.mean([self._shortfall(one, one.passed.unaware) for one in self.played], axis=0)
        found = []
        for number in range(1, int(worlds.max()) + 1):
            rows = np.flatnonzero(worlds == number)
            start, end = int(rows[0]), int(rows[-1]) + 1
            names = [str(one) for one in self.online.changes if round(one.at * n) == start]
            back = recovery(shortfall, unaware, start, end)
            found.append(
                {
                    "changes": names,
                    "row": start,
                    "until": end,
                    "shortfall_before": back.before,
                    "drop": back.drop,
                    "recovered_rows": back.rows,
                    "recovered_share": None if back.rows is None else back.rows / n,
                }
            )
        return found


def several(values: Sequence[float]) -> Entry:
    """Return the mean over the seeds, its 95 % interval (None of one seed), and each value."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return {"mean": mean, "interval": None, "seeds": list(values)}
    half = quantile(COVERAGE, len(values) - 1) * float(np.std(values, ddof=1)) / len(values) ** 0.5
    return {"mean": mean, "interval": [mean - half, mean + half], "seeds": list(values)}


def curve(regrets: Sequence[Column]) -> Entry:
    """Return points of the mean over the seeds, with the band in which 95 % of such means are."""
    stacked = np.array(regrets)
    rows = np.unique(np.linspace(0, stacked.shape[1] - 1, POINTS).round().astype(np.intp))
    told = [several(stacked[:, row].tolist()) for row in rows]
    return {
        "rows": (rows + 1).tolist(),
        "mean": [one["mean"] for one in told],
        "low": [(one["interval"] or (one["mean"],))[0] for one in told],
        "high": [(one["interval"] or (one["mean"],))[-1] for one in told],
    }

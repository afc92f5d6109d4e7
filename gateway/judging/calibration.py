"""How far judges and signs may be trusted: what they said of answers, held against what people said of the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gateway.judging.agreement import (
    MAX_ROWS,
    Interval,
    Resampling,
    area,
    calibration_error,
    correlation,
    explained,
    kappa,
    mean,
    wilson,
)
from gateway.judging.family import family
from gateway.judging.ratings import IMPLICIT, JUDGE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gateway.judging.ratings import Rated

#: Answers that have to be rated by both before anything is suggested, and answers of a group before its bias is told.
ENOUGH: Final = 100
ENOUGH_OF_GROUP: Final = 20


@dataclass(frozen=True, slots=True)
class Bias:
    """By how much more is said of a group's answers than people say: `kind` is model, domain or family."""

    kind: str
    name: str
    n: int
    bias: Interval


@dataclass(frozen=True, slots=True)
class Trustworthiness:
    """How far one judge, or one sign, agrees with people; what is not defined is None.

    `n` answers were rated by both; `said` and `human` are the means of what each said of them. `agreement` is the share
    on which both are on the same side of one half. `auc`, `kappa` and `correlation` of a sign are those of its being
    seen, among all answers that people rated. `length` is the correlation of what is said too much with the answer's
    length. `trust` is the weight that the evidence supports, None without enough of it.
    """

    name: str
    n: int
    enough: bool
    said: float
    human: Interval | None
    agreement: Interval | None
    auc: Interval | None
    ece: Interval | None
    kappa: Interval | None
    correlation: Interval | None
    bias: Interval | None
    length: Interval | None
    groups: tuple[Bias, ...]
    trust: float | None

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Calibration:
    """All judges and signs, by name; `rated` answers were rated by people."""

    rated: int
    voices: tuple[Trustworthiness, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"rated": self.rated, "enough": ENOUGH, "voices": [voice.as_json() for voice in self.voices]}


def calibrate(rows: Sequence[Rated], families: Mapping[str, str], seed: int = 0) -> Calibration:
    """Return how far each judge and each sign may be trusted. Of very many rows a sample is taken, drawn by `seed`."""
    names = sorted({name for row in rows for name in row.others})
    kept = _sample(rows, seed)
    return Calibration(len(rows), tuple(_voice(name, kept, families, seed) for name in names))


def _sample(rows: Sequence[Rated], seed: int) -> Sequence[Rated]:
    if len(rows) <= MAX_ROWS:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), MAX_ROWS, replace=False)
    return [rows[n] for n in np.sort(chosen)]


def _voice(name: str, rows: Sequence[Rated], families: Mapping[str, str], seed: int) -> Trustworthiness:
    spoke = np.array([name in row.others for row in rows])
    heard = [row for row in rows if name in row.others]
    said, human = _column([row.others[name].value for row in heard]), _column([row.human for row in heard])
    draws = Resampling(len(heard), seed)
    is_sign = name.startswith(f"{IMPLICIT}:")
    ranked = _of_sign(spoke, rows, seed) if is_sign else _of_judge(said, human, draws)
    enough = len(heard) >= ENOUGH
    lengths = _column([row.others[name].characters for row in heard])
    return Trustworthiness(
        name=name,
        n=len(heard),
        enough=enough,
        said=float(said.mean()) if len(said) else 0.0,
        human=draws.of(mean(human)),
        agreement=_agreement(said, human),
        auc=ranked["auc"],
        ece=draws.of(calibration_error(said, human)),
        kappa=ranked["kappa"],
        correlation=ranked["correlation"],
        bias=draws.of(mean(said - human)),
        length=draws.of(correlation(said - human, np.log(lengths))) if len(lengths) and lengths.min() > 0 else None,
        groups=_groups(name, heard, families, seed),
        trust=_trust(ranked, is_sign=is_sign) if enough else None,
    )


def _of_judge(said: NDArray[np.float64], human: NDArray[np.float64], draws: Resampling) -> dict[str, Interval | None]:
    """Return how well a judge ranks answers, and agrees on good and bad."""
    decided = human != 0.5
    told = Resampling(int(decided.sum()))
    both = decided & (said != 0.5)
    return {
        "auc": told.of(area(said[decided], human[decided] > 0.5)),
        "kappa": Resampling(int(both.sum())).of(kappa(said[both] > 0.5, human[both] > 0.5)),
        "correlation": draws.of(correlation(said, human)),
    }


def _of_sign(spoke: NDArray[np.bool_], rows: Sequence[Rated], seed: int) -> dict[str, Interval | None]:
    """Return how well a sign tells good from bad by being seen: it says the same each time."""
    human = _column([row.human for row in rows])
    below = human[spoke].mean() <= human.mean() if spoke.any() else True
    favour = (~spoke if below else spoke).astype(np.float64)
    decided = human != 0.5
    draws, told = Resampling(len(rows), seed), Resampling(int(decided.sum()), seed)
    return {
        "auc": told.of(area(favour[decided], human[decided] > 0.5)),
        "kappa": told.of(kappa(favour[decided] > 0.5, human[decided] > 0.5)),
        "correlation": draws.of(correlation(favour, human)),
        "explained": draws.of(explained(spoke, human)),
    }


def _trust(ranked: Mapping[str, Interval | None], *, is_sign: bool) -> float:
    """Return the trust that the evidence supports: the share of what people say that it tells, at the least.

    For a judge that is the square of the correlation, at the lower end of its interval.
    """
    found = ranked["explained" if is_sign else "correlation"]
    least = max(found.low, 0.0) if found else 0.0
    return round(least if is_sign else least**2, 3)


def _agreement(said: NDArray[np.float64], human: NDArray[np.float64]) -> Interval | None:
    decided = (said != 0.5) & (human != 0.5)
    return wilson(float(((said > 0.5) == (human > 0.5))[decided].sum()), int(decided.sum()))


def _groups(name: str, heard: Sequence[Rated], families: Mapping[str, str], seed: int) -> tuple[Bias, ...]:
    """Return the bias for each model and domain, and of a judge for its own family and for others."""
    found: dict[tuple[str, str], list[float]] = {}
    own = family(name.partition(":")[2], families) if name.startswith(f"{JUDGE}:") else None
    for row in heard:
        gap = row.others[name].value - row.human
        keys = [("model", row.model), *([("domain", row.domain)] if row.domain else [])]
        if own is not None:
            keys.append(("family", "own" if family(row.model, families) == own else "other"))
        for key in keys:
            found.setdefault(key, []).append(gap)
    told = (
        (kind, group, _column(gaps)) for (kind, group), gaps in sorted(found.items()) if len(gaps) >= ENOUGH_OF_GROUP
    )
    return tuple(
        Bias(kind, group, len(gaps), bias)
        for kind, group, gaps in told
        if (bias := Resampling(len(gaps), seed).of(mean(gaps))) is not None
    )


def _column(values: Sequence[float]) -> NDArray[np.float64]:
    return np.array(values, np.float64)

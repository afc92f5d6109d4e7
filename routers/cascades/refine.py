"""Better thresholds near those of a grid."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from routers.cascades.scene import Scene
    from routers.cascades.setting import Setting

#: How far a threshold moves at first, and how often the distance is halved.
FIRST: Final = 0.08
HALVINGS: Final = 4


def refined(setting: Setting, scene: Scene, price: float) -> Setting:
    """Return the setting with thresholds at which it does no worse on the scene, at a price of money.

    One threshold at a time is moved up and down, ever less far, as FrugalGPT does after its grid
    (https://arxiv.org/abs/2305.05176). A setting without thresholds is returned as it is.
    """
    best, most = setting, float(setting.play(scene).utility(price).mean())
    for halving in range(HALVINGS if setting.thresholds else 0):
        for place in range(len(setting.thresholds)):
            for step in (FIRST / 2**halving, -FIRST / 2**halving):
                tried = _moved(best, place, step)
                gained = float(tried.play(scene).utility(price).mean())
                if gained > most:
                    best, most = tried, gained
    return best


def _moved(setting: Setting, place: int, step: float) -> Setting:
    thresholds = np.array(setting.thresholds)
    thresholds[place] = np.clip(thresholds[place] + step, 0, 1)
    return replace(setting, thresholds=tuple(thresholds.tolist()))

"""Student's t: how many standard errors an interval has on each side."""

from __future__ import annotations

from statistics import NormalDist

#: With fewer degrees of freedom than this the expansion is not exact, and nothing is to be trusted anyway.
FEWEST = 3.0


def quantile(coverage: float, degrees: float) -> float:
    """Return how many standard errors hold so much of Student's distribution, from the middle to both sides.

    It is the Cornish-Fisher expansion, right to 2 % from three degrees of freedom on; fewer count as three.

    >>> round(quantile(0.95, float("inf")), 3), round(quantile(0.95, 10), 3)
    (1.96, 2.228)

    Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.5.
    """
    z = NormalDist().inv_cdf((1 + coverage) / 2)
    nu = max(degrees, FEWEST)
    return z + (
        (z**3 + z) / (4 * nu)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * nu**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * nu**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * nu**4)
    )

"""Writes the features that linear bandits read, after a change of the domains' examples: routers/online/basis.npz.

    python benchmarks/build_basis.py

The directions are the principal ones of the built-in examples of domains (gateway/signals/domains), which are of all
kinds and of no benchmark; the landmarks are the centres of 256 clusters of these examples at lengths as prompts have
them; the projection holds the leading eigenfunctions of the kernel between landmarks.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sklearn.cluster import KMeans  # noqa: E402 - the repository has to be found first

from routers.online.basis import FILE, LENGTH_SCALE  # noqa: E402

DIRECTIONS, LANDMARKS, FEATURES = 8, 256, 63
#: Lengths, in standard deviations of the logarithm, that each example is given.
LENGTHS = 5
#: Eigenvalues are raised by this, or the least ones would be noise.
JITTER = 1e-9


def main() -> None:
    """Write the file."""
    with np.load(ROOT / "gateway" / "signals" / "domains" / "vectors.npz") as arrays:
        vectors = arrays["vectors"].astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    centre = vectors.mean(axis=0)
    _, strengths, directions = np.linalg.svd(vectors - centre, full_matrices=False)
    # In units of the widest direction's standard deviation.
    seen = directions[:DIRECTIONS].T / (strengths[0] / np.sqrt(len(vectors)))
    examples = np.repeat((vectors - centre) @ seen, LENGTHS, axis=0)
    lengths = np.random.default_rng(0).standard_normal(len(examples))
    clusters = KMeans(LANDMARKS, n_init=1, random_state=0).fit(np.column_stack([examples, lengths]))
    landmarks = clusters.cluster_centers_
    squares = ((landmarks[:, None] - landmarks[None]) ** 2).sum(axis=2)
    values, functions = np.linalg.eigh(np.exp(-squares / (2 * LENGTH_SCALE**2)))
    leading = np.argsort(values)[::-1][:FEATURES]
    projection = functions[:, leading] / np.sqrt(values[leading] + JITTER)
    arrays = {"centre": centre, "directions": seen, "landmarks": landmarks, "projection": projection}
    np.savez_compressed(FILE, **{name: array.astype(np.float32) for name, array in arrays.items()})
    print(f"{FILE.relative_to(ROOT)}: {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

"""Build the static encoder's weights: a vector for each token of all-MiniLM-L6-v2, distilled from that encoder.

    python benchmarks/build_static.py [FOLDER]

It needs nothing but the package: the teacher is the built-in `minilm`, whose files are checked by sha256. It takes
about a minute. The recipe is Model2Vec's (Tulkens and van Dongen 2024, github.com/MinishLab/model2vec): each token
goes through the encoder alone; the vectors are centred and rotated to their `WIDTH` principal components (PCA);
each is weighted by its smoothed inverse frequency (SIF: Arora et al. 2017, "A Simple but Tough-to-Beat Baseline for
Sentence Embeddings"), where frequency is taken from the rank in the vocabulary by Zipf's law. A vector is stored in
8 bits with a scale of its own. The teacher's are of length one, where Model2Vec's are not: it makes no difference.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from gateway.signals.minilm_encoder import MODEL_SHA256
from gateway.signals.static_encoder import FORMAT, WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

SHIPPED = Path(__file__).parents[1] / "gateway/signals/static"
TEACHER = SHIPPED.with_name("minilm") / "model.onnx"
VOCABULARY, BATCH = 30522, 256
#: The teacher's marks before and after a text.
START, END = 101, 102
#: SIF's constant: a token as frequent as this is weighted by a half.
FREQUENT = 1e-4


def taught() -> Vectors:
    """Return the teacher's vector for each token alone, `[VOCABULARY, 384]`."""
    content = TEACHER.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != MODEL_SHA256:
        raise SystemExit(f"{TEACHER} has the sha256 {found}, not {MODEL_SHA256}: run build_minilm.py")
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    texts = np.array([[START, token, END] for token in range(VOCABULARY)])
    batches = np.split(texts, range(BATCH, VOCABULARY, BATCH))
    return np.concatenate(
        [session.run(["vectors"], {"tokens": batch, "mask": np.ones_like(batch)})[0] for batch in batches]
    )


def components(vectors: Vectors) -> Vectors:
    """Return the vectors, centred, in the directions of greatest variance, `[n, WIDTH]`."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, directions = np.linalg.eigh(centred.T @ centred)
    directions = directions[:, ::-1][:, :WIDTH]
    # A direction's sign is arbitrary: the greatest entry is made positive, so that it is the same everywhere.
    greatest = directions[np.abs(directions).argmax(axis=0), np.arange(WIDTH)]
    return (centred @ (directions * np.sign(greatest))).astype(np.float32)


def importance() -> NDArray[np.float64]:
    """Return each token's weight, `[VOCABULARY]`: the vocabulary is in the order of frequency, about."""
    frequency = 1 / np.arange(2, VOCABULARY + 2)
    frequency /= frequency.sum()
    return FREQUENT / (FREQUENT + frequency)


def quantised(vectors: NDArray[np.float64]) -> tuple[NDArray[np.int8], Vectors]:
    """Return the vectors in 8 bits, and what to multiply each by."""
    scales = np.abs(vectors).max(axis=1) / 127
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def main(folder: Path = SHIPPED) -> None:
    """Write the file and print its sha256."""
    vectors, scales = quantised(components(taught()) * importance()[:, None])
    path = folder / "vectors.npz"
    np.savez(path, format=np.int64(FORMAT), vectors=vectors, scales=scales)
    content = path.read_bytes()
    print(f"{hashlib.sha256(content).hexdigest()}  {path.name}  {len(content):,} bytes")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))

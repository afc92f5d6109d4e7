"""Build the weights of the signal `domain`: a metric, a background and a table of words.

    pip install torch==2.13.0 onnx
    python benchmarks/build_domain.py --intents INTENTS.parquet --subjects SUBJECTS.parquet ... [--output FILE]

`INTENTS` has the columns `text, intent, domain, split` (CLINC150: Larson et al. 2019, EMNLP; domain `out_of_scope`
holds the general questions); only the splits `train` and `oos_*` are read. `SUBJECTS` have `prompt, task, fold`;
only the fold `train` is read. Prints the sha256 to be written into `gateway/signals/domain/weights.py`.

The metric is I + UV, trained so that a query of an episode is nearer to its own class's examples than to the
others' (matching networks: Vinyals et al. 2016, arXiv:1606.04080), for few steps only: trained to the end it
forgets every topic that is not in the training data.
"""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pyarrow.parquet as pq
import torch
from onnx import numpy_helper

from gateway.signals.domain.weights import DIMENSION, FORMAT, PROBE
from gateway.signals.minilm_encoder import MiniLMEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

REPOSITORY = Path(__file__).parents[1]
SHIPPED = REPOSITORY / "gateway/signals/domain/weights.npz"
MODEL = REPOSITORY / "gateway/signals/minilm/model.onnx"

RANK, STEPS, SEEDS, RATE, DECAY, TEMPERATURE, SHOTS = 32, 400, 4, 1e-3, 0.02, 12.0, 10
WORD_DIMENSION, FIRST_WORD, LAST_FREQUENT_WORD = 64, 1996, 16000
CHARACTERS, FEWEST = 2000, 20
MAX_PROMPTS = 2500


@dataclass(frozen=True, slots=True)
class Source:
    """Vectors by class, how many classes an episode has, and how often it is drawn from here."""

    classes: list[torch.Tensor]
    ways: int
    share: float


def grouped(vectors: NDArray[np.float32], labels: NDArray[np.str_]) -> list[torch.Tensor]:
    """Return the vectors of each class that has enough of them."""
    found = [vectors[labels == label] for label in sorted(set(labels))]
    return [torch.tensor(rows) for rows in found if len(rows) >= FEWEST]


def train_metric(sources: Sequence[Source], seed: int) -> NDArray[np.float32]:
    """Return UV `[384, 384]`, what the metric adds to the identity."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    down = torch.nn.Parameter(torch.randn(DIMENSION, RANK) * 0.05)
    up = torch.nn.Parameter(torch.zeros(RANK, DIMENSION))
    optimiser = torch.optim.AdamW([down, up], lr=RATE, weight_decay=DECAY)
    shares = np.array([source.share for source in sources])
    for _ in range(STEPS):
        source = sources[rng.choice(len(sources), p=shares / shares.sum())]
        loss = episode_loss(source, down, up, rng)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return np.asarray((down @ up).detach().numpy())


def episode_loss(source: Source, down: torch.Tensor, up: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Return the loss of one episode: how badly examples of some classes tell queries of them apart."""
    chosen = rng.choice(len(source.classes), min(source.ways, len(source.classes)), replace=False)
    rows = [source.classes[c] for c in chosen]
    examples = torch.cat([r[rng.choice(len(r), SHOTS, replace=False)] for r in rows])
    queries = torch.cat([r[rng.choice(len(r), SHOTS)] for r in rows])

    def seen(vectors: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(vectors + (vectors @ down) @ up, dim=1)

    similar = TEMPERATURE * seen(queries) @ seen(examples).T
    scores = torch.logsumexp(similar.view(len(queries), len(chosen), SHOTS), 2)
    return torch.nn.functional.cross_entropy(scores, torch.arange(len(chosen)).repeat_interleave(SHOTS))


def word_table() -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return the encoder's own input vectors of word pieces in 8 bits, `[30522, 64]`, and the scale of each column."""
    table = next(numpy_helper.to_array(t) for t in onnx.load(MODEL).graph.initializer if t.name == "words")
    table = table.astype(np.float64)
    frequent = table[FIRST_WORD:LAST_FREQUENT_WORD]
    _, _, axes = np.linalg.svd(frequent - frequent.mean(0), full_matrices=False)
    words = (table - frequent.mean(0)) @ axes[:WORD_DIMENSION].T
    # Marks and single characters would swamp the scale.
    scale = np.abs(words[FIRST_WORD:]).max(0) / 127
    return np.clip(np.round(words / scale), -127, 127).astype(np.int8), scale.astype(np.float32)


def read_intents(file: Path, encoder: MiniLMEncoder) -> tuple[list[Source], NDArray[np.float32]]:
    """Return episodes of domains and of intents, and the vectors of the general questions."""
    columns = {name: np.array(values) for name, values in pq.read_table(file).to_pydict().items()}
    train = columns["split"] == "train"
    vectors = encoder.encode([str(text) for text in columns["text"][train]])
    general = [str(text) for text in columns["text"][columns["domain"] == "out_of_scope"]]
    sources = [
        Source(grouped(vectors, columns["domain"][train]), ways=5, share=0.4),
        Source(grouped(vectors, columns["intent"][train]), ways=10, share=0.4),
    ]
    return sources, encoder.encode(general)


def read_subjects(file: Path, encoder: MiniLMEncoder) -> Source:
    """Return episodes of the tasks of a file."""
    columns = {
        name: np.array(values)
        for name, values in pq.read_table(file, columns=["prompt", "task", "fold"]).to_pydict().items()
    }
    train = np.flatnonzero(columns["fold"] == "train")
    train = np.random.default_rng(0).permutation(train)[:MAX_PROMPTS]
    vectors = encoder.encode([str(prompt)[:CHARACTERS] for prompt in columns["prompt"][train]])
    return Source(grouped(vectors, columns["task"][train]), ways=8, share=0.1)


def build(intents: Path, subjects: Sequence[Path], output: Path) -> None:
    """Write the weights and print their sha256."""
    encoder = MiniLMEncoder()
    sources, background = read_intents(intents, encoder)
    sources += [read_subjects(file, encoder) for file in subjects]
    metric = np.mean([train_metric(sources, seed) for seed in range(SEEDS)], axis=0)
    words, scale = word_table()
    np.savez_compressed(
        output,
        format=np.array(FORMAT),
        metric=metric.astype(np.float16),
        background=background.astype(np.float16),
        words=words,
        scale=scale,
        probe=encoder.encode([PROBE])[0],
    )
    print(output, output.stat().st_size, hashlib.sha256(output.read_bytes()).hexdigest())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--intents", type=Path, required=True)
    parser.add_argument("--subjects", type=Path, nargs="*", default=[])
    parser.add_argument("--output", type=Path, default=SHIPPED)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    build(arguments.intents, arguments.subjects, arguments.output)

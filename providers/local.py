"""Local language models: llama.cpp in child processes, reached over loopback HTTP like any other endpoint."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from providers.local_process import LocalProcess, StartFailed
from providers.weights import PACKAGED_WEIGHTS, LocalError, locate

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LocalError", "LocalModel", "LocalServer"]

logger = logging.getLogger(__name__)

TEMPLATES = Path(__file__).with_name("templates")
#: Seconds to wait before a process that died is started again: the first time, and at most.
FIRST_BACKOFF_S, LAST_BACKOFF_S = 0.5, 30.0
#: A process that served for so many seconds was healthy: the next back-off begins anew.
HEALTHY_S = 30.0


@dataclass(frozen=True, slots=True)
class LocalModel:
    """Which weights to serve, and how.

    `weights` is a name of `PACKAGED_WEIGHTS` or the path of a GGUF file, which `sha256` may pin. Up to
    `parallel` requests are answered side by side, each within `context_tokens`; further ones wait.
    `max_completion_tokens`, `temperature` and `seed` hold where a request sets none. `chat_template` (Jinja)
    replaces the model's own.
    """

    weights: str
    sha256: str | None = None
    threads: int = 1
    parallel: int = 4
    context_tokens: int = 2048
    max_completion_tokens: int = 512
    temperature: float = 0.2
    seed: int | None = None
    chat_template: str | None = None
    #: Texts that end an answer where a request names none itself.
    stop: tuple[str, ...] = ()

    @property
    def alias(self) -> str:
        """Return the name that answers bear: that of the packaged weights, or the file's without its suffix."""
        return self.weights if self.weights in PACKAGED_WEIGHTS else Path(self.weights).stem

    def settings(self, path: Path, port: int) -> Mapping[str, Any]:
        """Return what `providers.local_server` is told. Port 0 stands for any that is free."""
        packaged = PACKAGED_WEIGHTS.get(self.weights)
        template = self.chat_template
        if template is None and packaged is not None and packaged.template is not None:
            template = (TEMPLATES / packaged.template).read_text(encoding="utf-8")
        return {
            "path": str(path),
            "port": port,
            "alias": self.alias,
            "threads": self.threads,
            "parallel": self.parallel,
            "context_tokens": self.context_tokens,
            "max_completion_tokens": self.max_completion_tokens,
            "temperature": self.temperature,
            "seed": self.seed,
            "chat_template": template,
            "stop": list(self.stop or (packaged.stop if packaged else ())),
        }


class LocalServer:
    """Keeps one local model served at one address: a process that dies is started again on the same port."""

    def __init__(self, model: LocalModel, *, start_timeout_s: float = 60.0, cache_folder: Path | None = None) -> None:
        self.model = model
        self._start_timeout_s = start_timeout_s
        self._cache_folder = cache_folder
        self._path = Path()
        self._process: LocalProcess | None = None
        self._supervision: asyncio.Task[None] | None = None
        #: Where the model is served, `http://127.0.0.1:PORT/v1`; empty before the start, and stable after it.
        self.base_url = ""

    @property
    def pid(self) -> int | None:
        """Return the id of the process that serves; None while there is none."""
        return self._process.pid if self._process else None

    async def start(self) -> str:
        """Find the weights, serve them, and return the base URL, `http://127.0.0.1:PORT/v1`.

        Raises `LocalError`. To start several models at once, await them together.
        """
        if importlib.util.find_spec("xllamacpp") is None:
            raise StartFailed(
                f"local model {self.model.alias!r} needs the package xllamacpp, which is not installed; "
                "run: pip install 'pointsman[local]'"
            )
        self._path = await asyncio.to_thread(locate, self.model.weights, self.model.sha256, self._cache_folder)
        process = self._process = await self._launch(port=0)
        self.base_url = f"{process.address}/v1"
        self._supervision = asyncio.create_task(self._supervise(process))
        logger.info("local_model.started", extra={"model": self.model.alias, "pid": process.pid})
        return self.base_url

    async def aclose(self) -> None:
        """Stop serving. Answers under way are cut off. Harmless when nothing is served."""
        if self._supervision is not None:
            self._supervision.cancel()
            await asyncio.wait([self._supervision])
            self._supervision = None
        if self._process is not None:
            await self._process.stop()
            self._process = None
            logger.info("local_model.stopped", extra={"model": self.model.alias})

    async def _supervise(self, process: LocalProcess) -> None:
        """Start the process again whenever it ends."""
        clock = asyncio.get_running_loop().time
        backoff_s = FIRST_BACKOFF_S
        while True:
            started = clock()
            status = await process.wait()
            await process.stop()
            self._process = None
            logger.error("local_model.died", extra={"model": self.model.alias, "exit_status": status})
            if clock() - started >= HEALTHY_S:
                backoff_s = FIRST_BACKOFF_S
            process, backoff_s = await self._revive(backoff_s)

    async def _revive(self, backoff_s: float) -> tuple[LocalProcess, float]:
        """Try to start the process, less and less often, until it serves; return it and the next back-off."""
        while True:
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, LAST_BACKOFF_S)
            try:
                process = self._process = await self._launch(port=urlsplit(self.base_url).port or 0)
            except StartFailed as error:
                logger.warning("local_model.restart_failed", extra={"model": self.model.alias, "reason": str(error)})
                continue
            logger.info("local_model.restarted", extra={"model": self.model.alias, "pid": process.pid})
            return process, backoff_s

    async def _launch(self, port: int) -> LocalProcess:
        return await LocalProcess.start(self.model.settings(self._path, port), self._start_timeout_s)

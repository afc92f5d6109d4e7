"""onnxruntime, which is told to keep to itself what it knows."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

# Its wheel for Linux reports to its maker unless it is told not to, before it is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

onnxruntime: Any = import_module("onnxruntime")

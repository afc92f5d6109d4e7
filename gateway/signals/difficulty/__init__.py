"""How hard a request is, and how much it gains from thinking before answering."""

from gateway.signals.difficulty.model import DifficultyError, DifficultyModel, DifficultyReading
from gateway.signals.difficulty.signal import DifficultySignal

__all__ = ["DifficultyError", "DifficultyModel", "DifficultyReading", "DifficultySignal"]

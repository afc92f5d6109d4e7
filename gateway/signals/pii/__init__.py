"""Personal data in requests: what kinds there are, found by form, check digits, and the words about it."""

from gateway.signals.pii.finder import find, redact
from gateway.signals.pii.finding import KINDS, Finding
from gateway.signals.pii.lexicon import LexiconError
from gateway.signals.pii.signal import PiiSignal
from gateway.signals.pii.texts import texts_of

__all__ = ["KINDS", "Finding", "LexiconError", "PiiSignal", "find", "redact", "texts_of"]

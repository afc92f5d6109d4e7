"""The signal `domain`: which of the user's own classes a request belongs to, or none of them."""

from __future__ import annotations

from gateway.signals.domain.classifier import DomainClassifier, DomainReading, fit
from gateway.signals.domain.examples import OTHER, Classes, DomainError
from gateway.signals.domain.signal import DomainSignal

__all__ = ["OTHER", "Classes", "DomainClassifier", "DomainError", "DomainReading", "DomainSignal", "fit"]

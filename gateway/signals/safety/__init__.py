"""The signal `safety`: jailbreaks, injected instructions and harmful requests, by a small classifier and rules."""

from gateway.signals.safety.classifier import JailbreakClassifier, SafetyReading
from gateway.signals.safety.guard import Guard, GuardCascade
from gateway.signals.safety.signal import SafetySignal
from gateway.signals.safety.weights import SafetyWeightsError

__all__ = ["Guard", "GuardCascade", "JailbreakClassifier", "SafetyReading", "SafetySignal", "SafetyWeightsError"]

"""Replay: what a policy would have cost and scored on the requests of a log, with the evidence for it, or its lack."""

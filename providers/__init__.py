"""How to talk to a model: dialects, endpoints, streams. Knows nothing of routing."""

"""Routers that learn as they go: a table as a stream of requests, of which only what was chosen is told."""

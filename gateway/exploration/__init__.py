"""Exploration that is explicit: who may explore, what it may cost in a day, and what it did cost."""

"""The log: append-only events, joined by the decision's id, and their export."""

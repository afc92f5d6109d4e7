"""What an answer is expected to cost: one way per file."""

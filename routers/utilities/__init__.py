"""What a candidate is worth, given what is expected of it: one per file."""

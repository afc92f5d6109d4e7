"""Cascades on outcome tables: what they would cost and achieve, which is best, and whether any is worth it."""

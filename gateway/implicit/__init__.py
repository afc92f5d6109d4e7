"""Feedback that nobody gives in words: what callers do after an answer, and what an answer is seen to lack."""

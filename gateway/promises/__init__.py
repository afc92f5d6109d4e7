"""Promises of quality while they are kept: what is observed of them, and what follows where one is not."""

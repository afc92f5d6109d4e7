"""Outcome tables: what each of several models made of the same prompts."""

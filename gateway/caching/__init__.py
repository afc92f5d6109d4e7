"""Answers that are given again: to the very same request, or to one that asks for the same in other words."""

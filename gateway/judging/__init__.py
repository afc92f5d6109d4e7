"""Answers judged by models of the pool: a sample of them, in the background, within a sum of money a day."""

"""Decides logged requests again, by another configuration than they were decided by."""

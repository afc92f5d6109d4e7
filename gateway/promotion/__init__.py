"""Versions of policies on their way to the traffic: they watch, serve a share of it, all of it, or are taken back."""

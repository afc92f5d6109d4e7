"""Tests that may be looked at after every request: bounds on a difference that hold at all times at once."""

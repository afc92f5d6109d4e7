"""Hedging: where the chosen model is slower than it usually is, a second one is asked, and who answers first is taken.

Dean and Barroso, The tail at scale, 2013.
"""

"""Gates: how likely is it that an answer is good enough?"""

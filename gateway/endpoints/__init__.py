"""Where models are reached: which endpoint and which key next, how they do, and how much each takes at once."""

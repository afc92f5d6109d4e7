"""Data of the built-in static encoder: `vectors.npz` and its origin. The tokeniser is that of `minilm`."""

"""The HTTP surface: OpenAI's paths, and our own beside them."""

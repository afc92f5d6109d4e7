"""Data of the built-in sentence encoder: `model.onnx`, `tokenizer.json`, their licence and their origin."""

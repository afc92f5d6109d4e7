"""From scores to chances: what a gate's score has proved to mean, for each model and domain."""

"""What a configuration means that nobody can have meant: rules that never count, models that never answer."""

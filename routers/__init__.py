"""Which model? Estimators, rules and plans: no HTTP, no I/O but `save` and `load`."""

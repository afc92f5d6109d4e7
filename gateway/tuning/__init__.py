"""Chooses the hyper-parameters of routers by cross-validation on one fold of outcome tables."""

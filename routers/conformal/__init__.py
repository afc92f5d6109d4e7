"""Promises about error rates: they hold for finite numbers of exchangeable rows, whatever the distribution."""

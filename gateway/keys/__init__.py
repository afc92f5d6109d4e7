"""Virtual keys: what callers show, made and withdrawn while the gateway runs."""

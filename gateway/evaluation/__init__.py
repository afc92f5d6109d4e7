"""How good is a router: curves, metrics, intervals and a report on outcome tables."""

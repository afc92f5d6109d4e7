"""Ask every model of a pool the same probes, grade the answers, and keep the outcomes as a table."""

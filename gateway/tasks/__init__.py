"""What the requests of one task, which are those of one session, may cost together."""

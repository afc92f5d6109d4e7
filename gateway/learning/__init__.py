"""Learning from the log: what an answer was worth, who is trusted, and what replicas have learned together."""

"""What replicas share, through Redis, and what happens while Redis is away."""

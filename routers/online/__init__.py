"""What linear bandits read of a request: features that never move, so that sums of them add up."""

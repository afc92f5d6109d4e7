"""Several processes that serve as one: a parent that starts and watches them, and what they share through it."""

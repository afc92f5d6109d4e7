"""What to do about the estimates: from utilities to a distribution. One rule a file."""

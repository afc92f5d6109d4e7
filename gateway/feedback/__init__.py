"""What is said of answers: who may say it, the tokens that prove it, and its way into the log."""

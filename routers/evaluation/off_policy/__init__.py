"""What would another policy have earned and cost? Estimates from the log of the policy that ran, with their doubts.

A row is one request: the distribution that its model was drawn from, who was drawn, and what came of it. Everything
here is arithmetic on columns; nothing reads a log.
"""

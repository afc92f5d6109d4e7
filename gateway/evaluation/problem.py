"""What may be wrong with what was asked of an evaluation."""


class EvaluationError(Exception):
    """An evaluation cannot be done as asked; the message names the option, its value and the remedy."""

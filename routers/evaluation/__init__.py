"""How good is a router, on a table where every model's outcome is known?"""

from routers.evaluation.replay import MissingOutcome
from routers.evaluation.score import Mean, Report, Score, evaluate

__all__ = ["Mean", "MissingOutcome", "Report", "Score", "evaluate"]

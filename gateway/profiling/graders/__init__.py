"""Deterministic graders: tolerant about the form of an answer, strict about its substance."""

from gateway.profiling.graders.base import Grader, grade
from gateway.profiling.graders.constraints import Constraints
from gateway.profiling.graders.exact import Exact
from gateway.profiling.graders.json_value import Json
from gateway.profiling.graders.label import Label
from gateway.profiling.graders.number import Number
from gateway.profiling.graders.phrase import Phrase
from gateway.profiling.graders.program import Program
from gateway.profiling.graders.sequence import Items

__all__ = [
    "Constraints",
    "Exact",
    "Grader",
    "Items",
    "Json",
    "Label",
    "Number",
    "Phrase",
    "Program",
    "grade",
]

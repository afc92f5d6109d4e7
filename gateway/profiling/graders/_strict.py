"""How graders are read from a file."""

from pydantic import ConfigDict

#: A key that a grader does not know is a mistake, not a wish to be ignored.
STRICT = ConfigDict(extra="forbid")

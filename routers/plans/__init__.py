"""Plans of several calls: a generator each, which asks until it has an answer to return."""

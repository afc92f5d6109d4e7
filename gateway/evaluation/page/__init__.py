"""The parts of the page that a report is read as."""

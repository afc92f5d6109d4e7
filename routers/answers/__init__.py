"""Reading answers: what two have in common, and what is wrong with one at first sight."""

"""Every claim about speed or honesty, as a command that measures it and prints JSON."""

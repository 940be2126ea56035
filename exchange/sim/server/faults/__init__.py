"""What an exchange can do to its clients, by name, on a seed or at an exact call."""

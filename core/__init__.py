"""Nouns, ports and rules: what perpscout knows without touching the world."""

"""Verbs: what perpscout does with its nouns, in any mode."""

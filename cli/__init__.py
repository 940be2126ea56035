"""The terminal front: commands, the live view and the cards it prints."""

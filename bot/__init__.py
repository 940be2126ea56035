"""Discord: commands, notices, charts, in Chinese and English."""

"""The whole market, minute by minute: history first, then streams, and what is missed is fetched."""

"""What the market is doing and whether to act on it: the bar kernel and the strategies that read it."""

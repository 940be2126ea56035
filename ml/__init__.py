"""Learning from closed trades: data sets, honest splits, training, models and their use."""

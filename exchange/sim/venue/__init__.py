"""The trading half of the simulated exchange: pure, deterministic, time passed in by the caller."""

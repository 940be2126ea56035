"""The wire half of the simulated exchange: Binance's REST and streams over the market and the venue."""

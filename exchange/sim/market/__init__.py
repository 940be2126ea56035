"""The price half of the simulated exchange: where prices come from and what candles they make."""

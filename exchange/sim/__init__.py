"""A Binance-compatible futures exchange of our own: market, venue and server."""

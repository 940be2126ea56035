"""The trading half of Binance's REST API, spoken for a Venue; routes are in ``exchange.sim.trading_api``."""

"""Adapters to exchanges: Binance over ccxt, the paper exchange, and the simulator."""

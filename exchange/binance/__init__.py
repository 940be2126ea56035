"""Binance USDⓈ-M futures: orders and account, the market by REST pages and by streams."""

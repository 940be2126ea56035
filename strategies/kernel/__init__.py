"""The bar kernel: indicators and market structure of every symbol, one closed minute at a time, without hindsight."""

"""The bar kernel: indicators and structure of every symbol, a closed minute at a time, without hindsight."""

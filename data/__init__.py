"""What is kept on disk: the journal, the trade log, candle files, and the memory of candles."""

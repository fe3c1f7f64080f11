"""Tapes: recordings of what a venue sent, one line a frame, `<receive ns> <raw JSON>`, in gzip, zstd or plain text.

The format is that of hftbacktest's collectors. `reader` merges tapes into one stream, `writer` records one, `compiled`
turns one into the columnar form that backtest engines read. Nothing here knows what a frame means beyond its symbol.
"""

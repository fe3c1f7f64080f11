"""The streams: from frames as a venue sent them to features, decisions and orders.

`tapes` reads and writes recordings, `codecs` decodes a venue's frames, `book` and `indicators` are what an instrument's
actor is made of, `actors` holds the actors, `sources`, `steps` and `sinks` are the parts of Bytewax graphs, `local` is
the graph, and `desk` asks inference, risk and execution. This room is no place for models, limits or order state.
"""

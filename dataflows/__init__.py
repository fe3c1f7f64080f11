"""The streams: from frames as a venue sent them to features, decisions and orders.

`tapes` reads and writes recordings, `codecs` decodes a venue's frames, `book` and `indicators` are what one instrument's
actor is made of, `actors` holds the actors, and the flow modules join them into Bytewax graphs. This room is no place
for models, limits or order state: it asks the inference, risk and execution services for those.
"""

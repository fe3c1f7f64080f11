"""Codecs: one decoder a venue, from the bytes of a frame to a typed event or to the reason why it is none."""

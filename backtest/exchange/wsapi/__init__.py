"""The WebSocket order API: the same requests as REST, in envelopes over one connection."""

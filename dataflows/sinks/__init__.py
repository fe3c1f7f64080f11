"""Sinks: where a dataflow's outputs go, as Bytewax outputs that write nothing twice after a restart."""

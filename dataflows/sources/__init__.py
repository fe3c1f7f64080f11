"""Sources: where a dataflow's events come from, as Bytewax inputs that can resume where a snapshot left them."""

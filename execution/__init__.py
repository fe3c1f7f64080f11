"""The execution room: turns signed approvals into orders at a venue and journals what became of them."""

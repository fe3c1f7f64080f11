"""SQL migrations of execution's journal, applied in order at the start of the service."""

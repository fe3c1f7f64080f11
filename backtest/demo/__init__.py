"""The demo: a tape all the way through the real services to signed orders, fills and a report, by one command."""

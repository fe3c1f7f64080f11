"""SQL files that make and change the tables of the archive's schema, in the order of their numbers."""

"""SQL files that make and change the tables of risk's schema, in the order of their numbers."""

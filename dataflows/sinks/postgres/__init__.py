"""What the streams saw and did, in PostgreSQL: tables, a writer that puts nothing in twice, bars of longer lengths.

The journals that risk and execution decide by are theirs, in schemas of their own; this is a copy for queries.
"""

#: The package of the SQL files.
MIGRATIONS = f"{__name__}.migrations"
#: The end of the schema's name.
ROOM = "archive"

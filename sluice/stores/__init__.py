"""PostgreSQL and Redis: connections, migrations, and servers from wheels for a machine that has neither.

It holds no table and no query of a room: each room keeps its migrations and its SQL.
"""

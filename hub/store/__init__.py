"""Where everything is kept: tables, one unit of work, repositories, migrations.

Enters: plain functions over a unit of work. Leaves: their results, after one commit. SQLAlchemy stays in this room;
the same code and the same tests serve SQLite (one writer thread) and PostgreSQL (a small pool).
"""

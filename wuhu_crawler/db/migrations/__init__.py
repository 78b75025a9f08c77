"""Alembic's revisions, run by `engine.upgrade` without an ini file."""

"""The database room: what the archive knows, in tables derived from the WARC files.

Knows items, errors and portals only. One process writes (`store`), anyone reads (`queries`, `search`). Every table is remade
from the WARC files by a rebuild, except those `models.OPERATIONAL` names. docs/database.md is the data dictionary.
"""

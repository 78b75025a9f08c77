"""The report of a run: what it did, as facts that are kept, and as a page to read. Reads the database, writes reports only."""

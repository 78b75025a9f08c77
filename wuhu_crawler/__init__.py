"""An archival crawler for Chinese classic-ASP city portals: WARC files first, a database derived from them."""

__version__ = "0.1.0"

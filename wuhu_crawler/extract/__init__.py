"""Extraction: bytes of one captured page in, items out. Pure: no Scrapy, no database, no clock, no I/O.

One guess at a file name finds a rule: `decode` (bytes to text), `document` (the page as a reader sees it: lines), `labels`
(every Chinese word the rules lean on), `dates`, `urls`, `byline`, `sections`, `article`, `listing`, `missing` (what is no
article), `page` (which of these a page is), `digests`. May import items, errors and portals.
"""

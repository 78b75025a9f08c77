"""Extraction: bytes of one captured page in, items out. Pure: no Scrapy, no database, no clock, no I/O.

One guess at a file name finds a rule. The page: `decode` (bytes to text), `document` (the page as a reader sees it: lines),
`labels` (every Chinese word the rules lean on), `region` (where the article stands), `page` (what the page is), `missing` (what
is no article). The fields: `breadcrumb`, `title`, `views`, `body`, `byline` and `names`, `sections`, `media`, put together by
`article`; `listing` for list pages; `dates`, `urls` and `hyperlinks` for both; `digests`. May import items, errors and portals.
"""

"""What is worth asking for: which listings hold news, which numbers nobody has shown, which articles may have changed.

Questions to the database and the rules that weigh the answers; no request is made here. The spiders ask for what is planned,
`wuhu plan` tells it beforehand. Knows no Scrapy.
"""

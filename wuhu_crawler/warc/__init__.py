"""WARC: exchanges become records in files (writer), records become bytes again (reader). Knows no Scrapy and no database."""

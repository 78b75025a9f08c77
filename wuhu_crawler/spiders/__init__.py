"""Spiders: they yield requests and items, nothing else. Each response ends in exactly one item, each failure in one Outcome.

arguments      the -a arguments: one table a spider, read and checked before anything is fetched
portal_spider  what the spiders share: the portal, its politeness, one item per response
frontier       which links lead on, and what stops a trap
listings       when a listing is walked to its end
wuhu, article, probe, recheck
               the spiders
"""

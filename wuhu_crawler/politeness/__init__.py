"""Downloader middlewares that keep the crawl polite, safe and complete; one duty and one module each.

    50  scope          only the portal's own hosts, never a private address; on every hop
    100 robots         robots.txt as RFC 9309 says
    540 redirects      redirects that lead nowhere end in an outcome
    550 backoff        waits and tries again; rests a host that fails
    590 decompression  a cut or corrupt body is noticed
    900 (archive.py)   keeps the bytes, before all of these see the response

They touch requests and responses. Whatever they refuse raises `faults.Refused`, which the spider's errback turns into the URL's
outcome: no URL vanishes here.
"""

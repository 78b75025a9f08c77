"""The views made for analysts: plain columns under names that stay, and no suppressed article in any of them.

Dates are text like `2024-02-03` on either database; a day of ours is one of Asia/Shanghai, the zone of the portals. A view
tells what was known in the scope it is asked in: there a version that was superseded later has not been yet.
"""

from __future__ import annotations

from .view import View

# When an article is gone for these views, whatever is set: the default of WUHU_GONE_OBSERVATIONS and WUHU_GONE_DAYS.
GONE_TIMES, GONE_DAYS = 3, 7

_ARTICLE = {"portal": "The portal", "article_id": "The portal's article number"}
_KEYS = {"article_key": "Our number of the article", "version_id": "Our number of the version"}
_TEXT = {
    "url": "Its URL",
    "title": "Title as served",
    "category": "Category: the crumb before 正文; NULL = none shown",
    "breadcrumb": "Crumbs in order, ` > ` between them; NULL = none shown",
    "published_at": "Publication time in the portal's zone, with offset; text order is time order within a zone",
    "published_on": "Its day, `2024-02-03`",
    "published_precision": "second, minute, or day (no time printed: published_at says 00:00:00)",
    "published_text": "Publication date in the page's own words",
    "source_date": "Date of the source (来源时间为)",
    "source_date_text": "来源时间为, in the page's own words",
    "reporters": "Names of the reporter credits, 、 between them; NULL = none",
    "outlets": "Outlets named in the credits, 、 between them; NULL = none",
    "byline": "Words the credits were read from, one a line; NULL = none",
    "headings": "Level-1 headings without their numbers, one a line; NULL = none",
    "body": "Paragraphs in reading order, one a line, headings included",
    "characters": "Characters of the body",
    "images": "Number of pictures in the text",
    "attachments": "Number of attachments",
    "encoding": "Encoding the page was read in",
    "decode_losses": "Characters that could not be decoded",
}
_DIGEST = "Digest of title, dates, credits and body"
_FACTS = """
  v.url, v.title, g.name AS category, {path:v.breadcrumb} AS breadcrumb, v.published_at,
  SUBSTR(v.published_at, 1, 10) AS published_on, v.published_precision, v.published_text,
  CAST(v.source_date AS TEXT) AS source_date, v.source_date_text,
  {joined:v.reporters} AS reporters, {joined:v.outlets} AS outlets, v.byline, {lines:v.headings} AS headings,
  v.body, LENGTH(v.body) AS characters,
  (SELECT COUNT(*) FROM link l WHERE l.version_id = v.id AND l.kind = 'image') AS images,
  (SELECT COUNT(*) FROM link l WHERE l.version_id = v.id AND l.kind = 'attachment') AS attachments,
  v.encoding, v.decode_losses
"""

SHOWN: dict[str, View] = {
    "articles": View(
        "What analysts ask of: one row an article, with the fields of its latest version; suppressed ones are not in it",
        {
            **_ARTICLE,
            **_TEXT,
            "views": "Views as last seen; NULL = never shown",
            "versions": "Number of versions, so the number of this one",
            "first_captured_at": "When the article was first captured (UTC)",
            "last_captured_at": "When it was last captured (UTC)",
            "version_captured_at": "When this version was first captured (UTC)",
            "capture_id": "The capture this version was read from",
            "article_digest": _DIGEST,
            **_KEYS,
        },
        f"""
        SELECT a.portal, a.article_id, {_FACTS},
          (SELECT s.views FROM view_observation s WHERE s.article_key = a.key AND {{until:s.observed_at}}
            ORDER BY s.observed_at DESC, s.capture_id DESC LIMIT 1) AS views,
          v.number AS versions, a.first_captured_at, {{last_captured:a}} AS last_captured_at,
          c.captured_at AS version_captured_at, v.capture_id, v.article_digest, a.key AS article_key, v.id AS version_id
        FROM article a JOIN article_version v ON v.article_key = a.key AND {{latest:a,v}}
        JOIN capture c ON c.id = v.capture_id LEFT JOIN category g ON g.id = v.category_id
        WHERE {{shown:a.portal,a.article_id}}
        """,  # noqa: S608 - our own words
    ),
    "article_versions": View(
        "Every distinct text of every article: one row a version, the first one seen has number 1",
        {
            **_ARTICLE,
            "version": "Number of the version",
            **_TEXT,
            "version_captured_at": "When this version was first captured (UTC)",
            "superseded_at": "When the next version was first captured (UTC); NULL = this is the latest one",
            "capture_id": "The capture this version was read from",
            "article_digest": _DIGEST,
            **_KEYS,
        },
        f"""
        SELECT a.portal, a.article_id, v.number AS version, {_FACTS}, c.captured_at AS version_captured_at,
          CASE WHEN {{until:later.captured_at}} THEN later.captured_at END AS superseded_at,
          v.capture_id, v.article_digest, a.key AS article_key, v.id AS version_id
        FROM article a JOIN article_version v ON v.article_key = a.key JOIN capture c ON c.id = v.capture_id
        LEFT JOIN category g ON g.id = v.category_id
        LEFT JOIN article_version n ON n.article_key = v.article_key AND n.number = v.number + 1
        LEFT JOIN capture later ON later.id = n.capture_id
        WHERE {{until:c.captured_at}} AND {{shown:a.portal,a.article_id}}
        """,  # noqa: S608 - our own words
    ),
    "credits": View(
        "Who made an article: one row a name in a role, of the latest version",
        {
            **_ARTICLE,
            "title": "Title of the article",
            "category": "Category of the article; NULL = none shown",
            "published_on": "Day of publication, `2024-02-03`",
            "position": "Order in the article, from 1",
            "role": "reporter, correspondent, photographer, editor, intern, author or other",
            "name": "Name of the person",
            "outlet": "Outlet the person is named with; NULL = none",
            "text": "Words on the page the credit was read from",
            **_KEYS,
        },
        """
        SELECT a.portal, a.article_id, v.title, g.name AS category, SUBSTR(v.published_at, 1, 10) AS published_on,
          p.position, p.role, p.name, p.outlet, p.text, a.key AS article_key, v.id AS version_id
        FROM article a JOIN article_version v ON v.article_key = a.key AND {latest:a,v}
        JOIN credit p ON p.version_id = v.id LEFT JOIN category g ON g.id = v.category_id
        WHERE {shown:a.portal,a.article_id}
        """,
    ),
    "named_outlets": View(
        "Outlets named in the credits of an article's latest version: one row an outlet",
        {
            **_ARTICLE,
            "title": "Title of the article",
            "category": "Category of the article; NULL = none shown",
            "published_on": "Day of publication, `2024-02-03`",
            "outlet": "Name of the outlet",
            **_KEYS,
        },
        """
        SELECT a.portal, a.article_id, v.title, g.name AS category, SUBSTR(v.published_at, 1, 10) AS published_on,
          each.value AS outlet, a.key AS article_key, v.id AS version_id
        FROM article a JOIN article_version v ON v.article_key = a.key AND {latest:a,v}
        CROSS JOIN {elements:v.outlets} LEFT JOIN category g ON g.id = v.category_id
        WHERE {shown:a.portal,a.article_id}
        """,
    ),
    "sections_flat": View(
        "The latest version of each article in its sections: one row a section, in reading order",
        {
            **_ARTICLE,
            "position": "Reading order in the article, from 1",
            "level": "Depth of the heading, from 1",
            "number": "Number of the heading as printed; NULL = none",
            "heading": "Heading without its number; NULL = text before the first heading",
            "path": "Headings from the top down to this one, ` > ` between them; NULL = text before the first heading",
            "text": "Paragraphs up to the next heading, one a line; NULL = none",
            **_KEYS,
        },
        """
        SELECT a.portal, a.article_id, s.position, s.level, s.number, s.heading,
          (WITH RECURSIVE above(parent, path) AS (
            SELECT s.parent, s.heading
            UNION ALL
            SELECT u.parent, CASE WHEN u.heading IS NULL THEN above.path WHEN above.path IS NULL THEN u.heading
              ELSE u.heading || ' > ' || above.path END
            FROM above JOIN section u ON u.version_id = s.version_id AND u.position = above.parent)
          SELECT path FROM above WHERE parent IS NULL) AS path,
          {lines:s.paragraphs} AS text, a.key AS article_key, v.id AS version_id
        FROM article a JOIN article_version v ON v.article_key = a.key AND {latest:a,v}
        JOIN section s ON s.version_id = v.id
        WHERE {shown:a.portal,a.article_id}
        """,
    ),
    "views_daily": View(
        "How often articles were read: one row an article and day on which its counter was seen",
        {
            **_ARTICLE,
            "day": "The day in Asia/Shanghai, `2024-02-03`",
            "views": "Views as last seen on that day",
            "observed_at": "When that was (UTC)",
            "change": "Views more than on the day before it that was seen; NULL = the first",
            "days": "Days between the two looks, with fractions; NULL = the first",
            "per_day": "Change a day; NULL = the first, less than a minute later, or the counter went back",
            "article_key": "Our number of the article",
        },
        """
        WITH looks AS (
          SELECT s.article_key, {day:s.observed_at} AS day, s.observed_at, s.views,
            ROW_NUMBER() OVER (PARTITION BY s.article_key, {day:s.observed_at}
              ORDER BY s.observed_at DESC, s.capture_id DESC) AS place
          FROM view_observation s WHERE {until:s.observed_at}),
        told AS (
          SELECT article_key, day, observed_at, views, views - LAG(views) OVER turn AS change,
            {days:observed_at,LAG(observed_at) OVER turn} AS days
          FROM looks WHERE place = 1 WINDOW turn AS (PARTITION BY article_key ORDER BY day))
        SELECT a.portal, a.article_id, t.day, t.views, t.observed_at, t.change, t.days,
          CASE WHEN t.change >= 0 AND t.days > 0.0007 THEN t.change / t.days END AS per_day, a.key AS article_key
        FROM told t JOIN article a ON a.key = t.article_key
        WHERE {shown:a.portal,a.article_id}
        """,
    ),
    "source_lag": View(
        "How long after its source an article was published: one row an article that tells both days",
        {
            **_ARTICLE,
            "title": "Title of the article",
            "category": "Category of the article; NULL = none shown",
            "source_date": "Date of the source (来源时间为)",
            "published_on": "Day of publication, `2024-02-03`",
            "days": "Days from the one to the other; negative = published before the date of its source",
        },
        """
        SELECT portal, article_id, title, category, source_date, published_on,
          CAST(ROUND({days:published_on,source_date}) AS INTEGER) AS days
        FROM articles WHERE source_date IS NOT NULL AND published_on IS NOT NULL
        """,
    ),
    "captures": View(
        "Every fetch of a URL that brought a response, and where its bytes are; pages of suppressed articles are not in it",
        {
            "capture_id": "Number of the capture in archive order, from 1",
            "portal": "The portal",
            "crawl_id": "The crawl it belongs to",
            "url": "URL as requested",
            "captured_at": "When the request was sent (UTC)",
            "captured_on": "Its day in Asia/Shanghai, `2024-02-03`",
            "status": "HTTP status; NULL when the response did not parse as HTTP",
            "content_type": "Content-Type header as served",
            "page_kind": "article, listing, missing, error, blocked or other; NULL = not extracted (redirect, file, ...)",
            "article_id": "The portal's article number the page shows or was asked for; NULL = none",
            "payload_length": "Bytes of the body as transferred",
            "payload_digest": "`sha1:` + base32 of the body as transferred; equal = same bytes",
            "record_type": "response, or revisit (payload stored with an earlier capture)",
            "record_id": "WARC-Record-ID of the record",
            "refers_to": "Revisit: WARC-Record-ID of the response that holds the payload",
            "warc_file": "File the record lies in",
            "warc_offset": "First byte of the record in the compressed file",
            "warc_length": "Bytes of the record in the compressed file",
            "truncated": "Why the response is not whole; NULL = it is",
            "via": "URL of the page it was found on",
        },
        """
        SELECT c.id AS capture_id, w.portal, c.crawl_id, c.url, c.captured_at, {day:c.captured_at} AS captured_on, c.status,
          c.content_type, c.page_kind, c.article_id, c.payload_length, c.payload_digest, c.record_type, c.record_id,
          c.refers_to, c.warc_file, c.warc_offset, c.warc_length, c.truncated, c.via
        FROM capture c JOIN crawl w ON w.id = c.crawl_id
        WHERE {until:c.captured_at} AND {shown:w.portal,c.article_id}
        """,
    ),
    "crawls": View(
        "Every crawl with what it brought: one row a crawl; suppressed articles are not counted",
        {
            "crawl_id": "Crawl ID, also part of the WARC file names",
            "portal": "The portal crawled",
            "job": "Name of the spider or command that made it",
            "status": "running, finished, interrupted (can be resumed) or failed",
            "started_at": "When its first run began (UTC)",
            "finished_at": "When it ended for good (UTC); NULL while running or resumable",
            "captures": "Responses it kept",
            "bytes": "Bytes of their records in the WARC files",
            "urls": "URLs it came to; each ended in one of the following",
            "captured": "URLs whose page was kept",
            "revisit": "URLs whose page was the same bytes as before",
            "missing": "URLs the portal said it has no such article for",
            "truncated": "URLs whose response was cut short",
            "failed": "URLs without an answer, or with an error page",
            "postponed": "URLs left for later: back-off, Retry-After, budget",
            "blocked": "URLs the portal refused",
            "excluded": "URLs not to be asked: robots.txt, off-site, ...",
            "new_articles": "Articles it captured first",
            "new_versions": "Texts it captured first, those of new articles included",
        },
        """
        WITH kept AS (
          SELECT c.crawl_id, COUNT(*) AS captures, CAST(SUM(c.warc_length) AS BIGINT) AS bytes
          FROM capture c JOIN crawl w ON w.id = c.crawl_id
          WHERE {until:c.captured_at} AND {shown:w.portal,c.article_id} GROUP BY c.crawl_id),
        ended AS (
          SELECT o.crawl_id, COUNT(*) AS urls,
            COUNT(CASE WHEN o.outcome = 'captured' THEN 1 END) AS captured,
            COUNT(CASE WHEN o.outcome = 'revisit' THEN 1 END) AS revisit,
            COUNT(CASE WHEN o.outcome = 'missing' THEN 1 END) AS missing,
            COUNT(CASE WHEN o.outcome = 'truncated' THEN 1 END) AS truncated,
            COUNT(CASE WHEN o.outcome = 'failed' THEN 1 END) AS failed,
            COUNT(CASE WHEN o.outcome = 'postponed' THEN 1 END) AS postponed,
            COUNT(CASE WHEN o.outcome = 'blocked' THEN 1 END) AS blocked,
            COUNT(CASE WHEN o.outcome = 'excluded' THEN 1 END) AS excluded
          FROM outcome o JOIN crawl w ON w.id = o.crawl_id
          WHERE {until:o.at} AND {shown:w.portal,o.article_id} GROUP BY o.crawl_id),
        texts AS (
          SELECT c.crawl_id, COUNT(*) AS versions, COUNT(CASE WHEN v.number = 1 THEN 1 END) AS articles
          FROM article_version v JOIN capture c ON c.id = v.capture_id JOIN article a ON a.key = v.article_key
          WHERE {until:c.captured_at} AND {shown:a.portal,a.article_id} GROUP BY c.crawl_id)
        SELECT w.id AS crawl_id, w.portal, w.job,
          CASE WHEN w.finished_at IS NULL OR {until:w.finished_at} THEN w.status ELSE 'running' END AS status, w.started_at,
          CASE WHEN {until:w.finished_at} THEN w.finished_at END AS finished_at,
          COALESCE(k.captures, 0) AS captures, COALESCE(k.bytes, 0) AS bytes, COALESCE(e.urls, 0) AS urls,
          COALESCE(e.captured, 0) AS captured, COALESCE(e.revisit, 0) AS revisit, COALESCE(e.missing, 0) AS missing,
          COALESCE(e.truncated, 0) AS truncated, COALESCE(e.failed, 0) AS failed, COALESCE(e.postponed, 0) AS postponed,
          COALESCE(e.blocked, 0) AS blocked, COALESCE(e.excluded, 0) AS excluded,
          COALESCE(t.articles, 0) AS new_articles, COALESCE(t.versions, 0) AS new_versions
        FROM crawl w LEFT JOIN kept k ON k.crawl_id = w.id LEFT JOIN ended e ON e.crawl_id = w.id
        LEFT JOIN texts t ON t.crawl_id = w.id
        WHERE {until:w.started_at}
        """,
    ),
    "removed": View(
        "Articles the portal did not have any more at the last look: one row an article, which stays as it was last seen",
        {
            **_ARTICLE,
            "standing": f"gone = {GONE_TIMES} such answers, the last {GONE_DAYS} days or more after the first; missing = less",
            "times_missing": "How often the portal said so since the article was last there",
            "missing_since": "The first of these times (UTC)",
            "missing_until": "The last of these times (UTC)",
            "last_seen_at": "When the article was last captured (UTC)",
            "article_key": "Our number of the article",
        },
        """
        WITH absent AS (
          SELECT a.key, a.portal, a.article_id, {last_captured:a} AS last_seen_at, o.at
          FROM outcome o JOIN crawl w ON w.id = o.crawl_id
          JOIN article a ON a.portal = w.portal AND a.article_id = o.article_id
          WHERE o.outcome = 'missing' AND {until:o.at} AND {until:a.first_captured_at} AND {shown:a.portal,a.article_id}
            AND NOT EXISTS (SELECT 1 FROM outcome again JOIN crawl then_by ON then_by.id = again.crawl_id
              JOIN capture page ON page.id = again.capture_id
              WHERE again.article_id = o.article_id AND then_by.portal = w.portal AND again.at > o.at
                AND again.outcome IN ('captured', 'revisit') AND page.page_kind = 'article' AND {until:again.at}))
        SELECT portal, article_id, {gone:COUNT(*),MIN(at),MAX(at)} AS standing, COUNT(*) AS times_missing,
          MIN(at) AS missing_since, MAX(at) AS missing_until, MAX(last_seen_at) AS last_seen_at, key AS article_key
        FROM absent WHERE at > last_seen_at GROUP BY portal, article_id, key
        """,
    ),
    "coverage_by_month": View(
        "What is there of each month and category: one row a portal, month of publication and category",
        {
            "portal": "The portal",
            "month": "Month of publication, `2024-02`; NULL = the day of publication is not told",
            "category": "Category; NULL = none shown",
            "captured": "Articles captured",
            "missing": "Those of them the portal did not have any more at the last look, but are not gone",
            "gone": "Those of them that are gone, as in `removed`",
            "only_listed": "Articles a listing shows with a date in this month, of which no text was ever captured",
        },
        """
        WITH found AS (
          SELECT a.portal, SUBSTR(a.published_on, 1, 7) AS month, a.category, r.standing, 1 AS captured
          FROM articles a LEFT JOIN removed r ON r.article_key = a.article_key
          UNION ALL
          SELECT w.portal, SUBSTR(CAST(MIN(s.date) AS TEXT), 1, 7), MAX(g.name), NULL, 0
          FROM listing_sighting s JOIN capture c ON c.id = s.capture_id JOIN crawl w ON w.id = c.crawl_id
          LEFT JOIN category g ON g.id = s.category_id
          WHERE {until:c.captured_at} AND {shown:w.portal,s.article_id} AND NOT EXISTS (SELECT 1 FROM article a
            WHERE a.portal = w.portal AND a.article_id = s.article_id AND {until:a.first_captured_at})
          GROUP BY w.portal, s.article_id)
        SELECT portal, month, category, CAST(SUM(captured) AS BIGINT) AS captured,
          COUNT(CASE WHEN standing = 'missing' THEN 1 END) AS missing,
          COUNT(CASE WHEN standing = 'gone' THEN 1 END) AS gone,
          COUNT(CASE WHEN captured = 0 THEN 1 END) AS only_listed
        FROM found GROUP BY portal, month, category
        """,
    ),
}

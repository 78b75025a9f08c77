-- title: Edited after publication
-- group: Changes
-- description: Every text that took the place of another one, with what changed, the latest first. `wuhu diff ID` shows the
--   difference word by word.
-- parameter: category text = NULL; Only articles of this category
-- parameter: since date = NULL; Only edits seen on this day (UTC) or later
-- parameter: until date = NULL; Only edits seen on this day (UTC) or earlier
-- parameter: field text(title|category|published_at|source_date|credits|body) = NULL; Only where this changed
-- parameter: top integer = 1000; How many edits
-- parameter: portal text = NULL; Only this portal
-- column: portal; The portal
-- column: article_id; The portal's article number
-- column: title; Title of the new text
-- column: category; Its category; NULL = none shown
-- column: published_on; Day of publication; NULL = not told
-- column: version; Number of the new text
-- column: last_seen_before; When the text before it was last captured (UTC)
-- column: seen_at; When the new text was first captured (UTC)
-- column: days_after; Days from the publication to that; NULL = not told
-- column: fields; What changed: title, category, published_at, source_date, credits, body; other = none of these
-- column: characters_before; Characters of the text before
-- column: characters_after; Characters of the new text
WITH edits AS (
  SELECT n.portal, n.article_id, n.title, n.category, n.published_on, n.version,
    (SELECT MAX(c.captured_at) FROM captures c WHERE c.article_id = n.article_id AND c.portal = n.portal
      AND c.page_kind = 'article' AND c.captured_at < n.version_captured_at) AS last_seen_before,
    n.version_captured_at AS seen_at, {days:n.version_captured_at,n.published_at} AS days_after,
    CASE WHEN COALESCE(n.title, '') <> COALESCE(o.title, '') THEN ', title' ELSE '' END
    || CASE WHEN COALESCE(n.category, '') <> COALESCE(o.category, '') THEN ', category' ELSE '' END
    || CASE WHEN COALESCE(n.published_at, '') <> COALESCE(o.published_at, '') THEN ', published_at' ELSE '' END
    || CASE WHEN COALESCE(n.source_date, '') <> COALESCE(o.source_date, '') THEN ', source_date' ELSE '' END
    || CASE WHEN COALESCE(n.byline, '') <> COALESCE(o.byline, '') THEN ', credits' ELSE '' END
    || CASE WHEN n.body <> o.body THEN ', body' ELSE '' END AS fields,
    o.characters AS characters_before, n.characters AS characters_after
  FROM articles a
  JOIN article_versions n ON n.article_key = a.article_key AND n.version > 1
  JOIN article_versions o ON o.article_key = n.article_key AND o.version = n.version - 1
  WHERE a.versions > 1
    AND (:category IS NULL OR n.category = :category)
    AND (:portal IS NULL OR n.portal = :portal)
    AND (:since IS NULL OR SUBSTR(n.version_captured_at, 1, 10) >= :since)
    AND (:until IS NULL OR SUBSTR(n.version_captured_at, 1, 10) <= :until))
SELECT portal, article_id, title, category, published_on, version, last_seen_before, seen_at, {round:days_after,1} AS days_after,
  COALESCE(NULLIF(SUBSTR(fields, 3), ''), 'other') AS fields, characters_before, characters_after
FROM edits
WHERE :field IS NULL OR fields || ',' LIKE '%, ' || :field || ',%'
ORDER BY seen_at DESC, article_id, version DESC
LIMIT :top

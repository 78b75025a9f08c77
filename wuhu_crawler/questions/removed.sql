-- title: Removed articles
-- group: Changes
-- description: Articles that were captured, and that the portal said it does not have any more when it was last asked. Their last
--   text stays in the archive. One is gone after so many such answers over so many days, until then it is missing.
-- parameter: category text = NULL; Only this category
-- parameter: since date = NULL; Only articles missing since this day (UTC) or later
-- parameter: until date = NULL; Only articles missing since this day (UTC) or earlier
-- parameter: standing text(missing|gone) = NULL; Only these
-- parameter: times integer = 3; From how many such answers on an article is gone
-- parameter: days number = 7; How many days must lie between the first and the last of them
-- parameter: portal text = NULL; Only this portal
-- column: portal; The portal
-- column: article_id; The portal's article number
-- column: title; Title
-- column: category; Category; NULL = none shown
-- column: published_on; Day of publication; NULL = not told
-- column: standing; missing or gone
-- column: times_missing; How often the portal said so
-- column: missing_since; The first time (UTC)
-- column: missing_until; The last time (UTC)
-- column: last_seen_at; When the article was last captured (UTC)
-- column: url; Where it stood
WITH lost AS (
  SELECT a.portal, a.article_id, a.title, a.category, a.published_on,
    CASE WHEN r.times_missing >= :times AND {days:r.missing_until,r.missing_since} >= :days THEN 'gone' ELSE 'missing' END
      AS standing,
    r.times_missing, r.missing_since, r.missing_until, r.last_seen_at, a.url
  FROM removed r JOIN articles a ON a.article_key = r.article_key)
SELECT portal, article_id, title, category, published_on, standing, times_missing, missing_since, missing_until, last_seen_at, url
FROM lost
WHERE (:category IS NULL OR category = :category)
  AND (:portal IS NULL OR portal = :portal)
  AND (:since IS NULL OR SUBSTR(missing_since, 1, 10) >= :since)
  AND (:until IS NULL OR SUBSTR(missing_since, 1, 10) <= :until)
  AND (:standing IS NULL OR standing = :standing)
ORDER BY missing_since DESC, article_id

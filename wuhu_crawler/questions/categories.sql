-- title: Categories
-- group: Articles
-- description: Every category with its number of articles, from when to when they were published, how many were
--   edited, and how often they were read.
-- parameter: since date = NULL; Only articles published on this day or later
-- parameter: until date = NULL; Only articles published on this day or earlier
-- parameter: portal text = NULL; Only this portal
-- column: category; Category; NULL = none shown
-- column: articles; Articles
-- column: share; Percent of all articles
-- column: first_published; Day the oldest one was published
-- column: last_published; Day the newest one was published
-- column: edited; Articles of which more than one text was seen
-- column: views; Views in all, as last seen
SELECT category, COUNT(*) AS articles, {round:COUNT(*) * 100.0 / SUM(COUNT(*)) OVER (),1} AS share,
  MIN(published_on) AS first_published, MAX(published_on) AS last_published,
  COUNT(CASE WHEN versions > 1 THEN 1 END) AS edited, CAST(SUM(views) AS BIGINT) AS views
FROM articles
WHERE (:portal IS NULL OR portal = :portal)
  AND (:since IS NULL OR published_on >= :since)
  AND (:until IS NULL OR published_on <= :until)
GROUP BY category
ORDER BY articles DESC, category NULLS LAST

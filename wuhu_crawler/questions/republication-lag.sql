-- title: Republication lag
-- group: Sources
-- description: How many days after the date of its source an article was published: how often each length occurs.
-- parameter: category text = NULL; Only this category
-- parameter: since date = NULL; Only articles published on this day or later
-- parameter: until date = NULL; Only articles published on this day or earlier
-- parameter: portal text = NULL; Only this portal
-- column: lag; How long, in words
-- column: least; The shortest of these lags in days; negative = published before the date of the source
-- column: most; The longest of them
-- column: articles; Articles
-- column: share; Percent of the articles that tell both days
-- column: example; Number of the newest of these articles
WITH told AS (
  SELECT article_id, published_on, days,
    CASE WHEN days < 0 THEN 0 WHEN days <= 1 THEN days + 1 WHEN days <= 3 THEN 3 WHEN days <= 7 THEN 4 WHEN days <= 30 THEN 5
      WHEN days <= 90 THEN 6 WHEN days <= 365 THEN 7 ELSE 8 END AS step
  FROM source_lag
  WHERE (:category IS NULL OR category = :category)
    AND (:portal IS NULL OR portal = :portal)
    AND (:since IS NULL OR published_on >= :since)
    AND (:until IS NULL OR published_on <= :until)),
placed AS (
  SELECT told.*, ROW_NUMBER() OVER (PARTITION BY step ORDER BY published_on DESC, article_id DESC) AS place FROM told)
SELECT
  CASE step WHEN 0 THEN 'before its source' WHEN 1 THEN 'the same day' WHEN 2 THEN 'the next day' WHEN 3 THEN '2 to 3 days'
    WHEN 4 THEN '4 to 7 days' WHEN 5 THEN '8 to 30 days' WHEN 6 THEN '31 to 90 days' WHEN 7 THEN '91 to 365 days'
    ELSE 'more than a year' END AS lag,
  MIN(days) AS least, MAX(days) AS most, COUNT(*) AS articles, {round:COUNT(*) * 100.0 / SUM(COUNT(*)) OVER (),1} AS share,
  MAX(CASE WHEN place = 1 THEN article_id END) AS example
FROM placed
GROUP BY step
ORDER BY step

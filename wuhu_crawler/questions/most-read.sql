-- title: Most-read articles
-- group: Readers
-- description: The articles that were read most, with how fast they are read: since their publication, and between the last two
--   days on which their counter was seen.
-- parameter: category text = NULL; Only this category
-- parameter: since date = NULL; Only articles published on this day or later
-- parameter: until date = NULL; Only articles published on this day or earlier
-- parameter: sort text(views|per_day|recent) = views; What counts: views as last seen, views per_day since publication, or recent ones
-- parameter: top integer = 50; How many articles
-- parameter: portal text = NULL; Only this portal
-- column: portal; The portal
-- column: article_id; The portal's article number
-- column: title; Title
-- column: category; Category; NULL = none shown
-- column: published_on; Day of publication; NULL = not told
-- column: views; Views as last seen
-- column: seen_on; Day they were last seen
-- column: per_day; Views a day from publication until then; NULL = less than a day, or no day of publication
-- column: recent; Views a day between the last two days on which they were seen; NULL = seen on one day, or the counter went back
WITH latest AS (
  SELECT article_key, day, views, per_day, observed_at,
    ROW_NUMBER() OVER (PARTITION BY article_key ORDER BY day DESC) AS place
  FROM views_daily),
rates AS (
  SELECT a.portal, a.article_id, a.title, a.category, a.published_on, l.views, l.day AS seen_on,
    CASE WHEN {days:l.observed_at,a.published_at} >= 1 THEN l.views / {days:l.observed_at,a.published_at} END AS per_day,
    l.per_day AS recent
  FROM latest l JOIN articles a ON a.article_key = l.article_key
  WHERE l.place = 1
    AND (:category IS NULL OR a.category = :category)
    AND (:portal IS NULL OR a.portal = :portal)
    AND (:since IS NULL OR a.published_on >= :since)
    AND (:until IS NULL OR a.published_on <= :until))
SELECT portal, article_id, title, category, published_on, views, seen_on, {round:per_day,2} AS per_day, {round:recent,2} AS recent
FROM rates
ORDER BY CASE :sort WHEN 'per_day' THEN per_day WHEN 'recent' THEN recent ELSE views END DESC NULLS LAST, article_id
LIMIT :top

-- title: Outlets by output
-- group: People
-- description: Every outlet named in the credits, with how many articles, how many people are named with it, and from when to
--   when.
-- parameter: category text = NULL; Only this category
-- parameter: since date = NULL; Only articles published on this day or later
-- parameter: until date = NULL; Only articles published on this day or earlier
-- parameter: portal text = NULL; Only this portal
-- column: outlet; Name of the outlet
-- column: articles; Articles it is named in
-- column: share; Percent of the articles that name an outlet
-- column: people; People named with it
-- column: first_published; Day the oldest of these articles was published
-- column: last_published; Day the newest of these articles was published
WITH named AS (
  SELECT outlet, article_key, published_on
  FROM named_outlets
  WHERE (:category IS NULL OR category = :category)
    AND (:portal IS NULL OR portal = :portal)
    AND (:since IS NULL OR published_on >= :since)
    AND (:until IS NULL OR published_on <= :until)),
people AS (
  SELECT outlet, COUNT(DISTINCT name) AS people
  FROM credits
  WHERE outlet IS NOT NULL
    AND (:category IS NULL OR category = :category)
    AND (:portal IS NULL OR portal = :portal)
    AND (:since IS NULL OR published_on >= :since)
    AND (:until IS NULL OR published_on <= :until)
  GROUP BY outlet),
total AS (SELECT COUNT(DISTINCT article_key) AS articles FROM named)
SELECT named.outlet, COUNT(DISTINCT article_key) AS articles,
  {round:COUNT(DISTINCT article_key) * 100.0 / MAX(total.articles),1} AS share, COALESCE(MAX(people.people), 0) AS people,
  MIN(published_on) AS first_published, MAX(published_on) AS last_published
FROM named CROSS JOIN total LEFT JOIN people ON people.outlet = named.outlet
GROUP BY named.outlet
ORDER BY articles DESC, named.outlet

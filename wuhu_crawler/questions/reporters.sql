-- title: Reporters by output
-- group: People
-- description: Everyone named in the credits in a role, with how many articles, the outlet they are named with most often, and
--   from when to when.
-- parameter: role text(reporter|correspondent|photographer|editor|intern|author|other) = reporter; In which role
-- parameter: category text = NULL; Only this category
-- parameter: since date = NULL; Only articles published on this day or later
-- parameter: until date = NULL; Only articles published on this day or earlier
-- parameter: portal text = NULL; Only this portal
-- column: name; Name of the person
-- column: articles; Articles they are named in
-- column: outlet; The outlet they are named with most often; NULL = none
-- column: outlets; Number of outlets they are named with
-- column: categories; Number of categories they are named in
-- column: first_published; Day the oldest of these articles was published
-- column: last_published; Day the newest of these articles was published
WITH named AS (
  SELECT name, outlet, category, published_on, article_key
  FROM credits
  WHERE role = :role
    AND (:category IS NULL OR category = :category)
    AND (:portal IS NULL OR portal = :portal)
    AND (:since IS NULL OR published_on >= :since)
    AND (:until IS NULL OR published_on <= :until)),
totals AS (
  SELECT name, COUNT(DISTINCT article_key) AS articles, COUNT(DISTINCT outlet) AS outlets, COUNT(DISTINCT category) AS categories,
    MIN(published_on) AS first_published, MAX(published_on) AS last_published
  FROM named GROUP BY name),
places AS (
  SELECT name, outlet, ROW_NUMBER() OVER (PARTITION BY name ORDER BY COUNT(DISTINCT article_key) DESC, outlet) AS place
  FROM named WHERE outlet IS NOT NULL GROUP BY name, outlet),
mostly AS (SELECT name, outlet FROM places WHERE place = 1)
SELECT totals.name, articles, mostly.outlet, outlets, categories, first_published, last_published
FROM totals LEFT JOIN mostly ON mostly.name = totals.name
ORDER BY articles DESC, totals.name

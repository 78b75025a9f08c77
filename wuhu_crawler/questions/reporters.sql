-- title: Reporters by output
-- group: People
-- description: Everyone named in the credits in a role, with how many articles, the outlet they are named with most often, and
--   from when to when.
-- parameter: role text = reporter; reporter, correspondent, photographer, editor, intern, author or other
-- parameter: category text = NULL; Only this category
-- parameter: since date = NULL; Only articles published on this day or later
-- parameter: until date = NULL; Only articles published on this day or earlier
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
    AND (:since IS NULL OR published_on >= :since)
    AND (:until IS NULL OR published_on <= :until)),
places AS (
  SELECT name, outlet, ROW_NUMBER() OVER (PARTITION BY name ORDER BY COUNT(DISTINCT article_key) DESC, outlet) AS place
  FROM named WHERE outlet IS NOT NULL GROUP BY name, outlet)
SELECT named.name, COUNT(DISTINCT article_key) AS articles, MAX(places.outlet) AS outlet,
  COUNT(DISTINCT named.outlet) AS outlets, COUNT(DISTINCT category) AS categories,
  MIN(published_on) AS first_published, MAX(published_on) AS last_published
FROM named LEFT JOIN places ON places.name = named.name AND places.place = 1
GROUP BY named.name
ORDER BY articles DESC, named.name

-- title: Longest republication lags
-- group: Sources
-- description: The articles published the longest time after the date of their source.
-- parameter: category text = NULL; Only this category
-- parameter: since date = NULL; Only articles published on this day or later
-- parameter: until date = NULL; Only articles published on this day or earlier
-- parameter: top integer = 50; How many articles
-- parameter: portal text = NULL; Only this portal
-- column: portal; The portal
-- column: article_id; The portal's article number
-- column: title; Title
-- column: category; Category; NULL = none shown
-- column: source_date; Date of the source
-- column: published_on; Day of publication
-- column: days; Days from the one to the other
SELECT portal, article_id, title, category, source_date, published_on, days
FROM source_lag
WHERE (:category IS NULL OR category = :category)
  AND (:portal IS NULL OR portal = :portal)
  AND (:since IS NULL OR published_on >= :since)
  AND (:until IS NULL OR published_on <= :until)
ORDER BY days DESC, article_id
LIMIT :top

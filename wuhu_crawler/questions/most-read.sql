-- title: Most-read articles
-- group: Readers
-- description: The articles with the highest view counter, as last seen.
-- parameter: category text = NULL; Only this category
-- parameter: since date = NULL; Only articles published on this day or later
-- parameter: until date = NULL; Only articles published on this day or earlier
-- parameter: top integer = 50; How many articles
-- column: article_id; The portal's article number
-- column: title; Title
-- column: category; Category; NULL = none shown
-- column: published_on; Day of publication
-- column: views; Views as last seen
SELECT article_id, title, category, published_on, views
FROM articles
WHERE views IS NOT NULL
  AND (:category IS NULL OR category = :category)
  AND (:since IS NULL OR published_on >= :since)
  AND (:until IS NULL OR published_on <= :until)
ORDER BY views DESC, article_id
LIMIT :top

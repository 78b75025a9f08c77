-- title: Newest articles
-- group: Articles
-- description: The articles published last.
-- parameter: category text = NULL; Only this category
-- parameter: since date = NULL; Only articles published on this day or later
-- parameter: until date = NULL; Only articles published on this day or earlier
-- parameter: top integer = 50; How many articles
-- parameter: portal text = NULL; Only this portal
-- column: portal; The portal
-- column: article_id; The portal's article number
-- column: published_at; Publication time in the portal's zone
-- column: title; Title
-- column: category; Category; NULL = none shown
-- column: reporters; Names of the reporters; NULL = none
-- column: outlets; Outlets named in the credits; NULL = none
-- column: views; Views as last seen; NULL = never shown
SELECT portal, article_id, published_at, title, category, reporters, outlets, views
FROM articles
WHERE published_at IS NOT NULL
  AND (:category IS NULL OR category = :category)
  AND (:portal IS NULL OR portal = :portal)
  AND (:since IS NULL OR published_on >= :since)
  AND (:until IS NULL OR published_on <= :until)
ORDER BY published_at DESC, article_id DESC
LIMIT :top

-- title: Longest articles
-- group: Articles
-- description: The articles with the most characters in their text.
-- parameter: category text = NULL; Only this category
-- parameter: since date = NULL; Only articles published on this day or later
-- parameter: until date = NULL; Only articles published on this day or earlier
-- parameter: top integer = 50; How many articles
-- parameter: portal text = NULL; Only this portal
-- column: portal; The portal
-- column: article_id; The portal's article number
-- column: characters; Characters of the text, headings and line ends included
-- column: title; Title
-- column: category; Category; NULL = none shown
-- column: published_on; Day of publication; NULL = not told
SELECT portal, article_id, characters, title, category, published_on
FROM articles
WHERE (:category IS NULL OR category = :category)
  AND (:portal IS NULL OR portal = :portal)
  AND (:since IS NULL OR published_on >= :since)
  AND (:until IS NULL OR published_on <= :until)
ORDER BY characters DESC, article_id
LIMIT :top

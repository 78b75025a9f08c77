-- title: Characters that could not be decoded
-- group: Quality
-- description: Articles whose page had bytes that are no characters in its encoding: each stands in the text as U+FFFD.
-- parameter: category text = NULL; Only this category
-- parameter: since date = NULL; Only articles published on this day or later
-- parameter: until date = NULL; Only articles published on this day or earlier
-- parameter: portal text = NULL; Only this portal
-- column: portal; The portal
-- column: article_id; The portal's article number
-- column: decode_losses; Characters that could not be decoded
-- column: encoding; Encoding the page was read in
-- column: title; Title
-- column: category; Category; NULL = none shown
-- column: published_on; Day of publication; NULL = not told
-- column: capture_id; The capture it was read from: `wuhu cat` prints its bytes
SELECT portal, article_id, decode_losses, encoding, title, category, published_on, capture_id
FROM articles
WHERE decode_losses > 0
  AND (:category IS NULL OR category = :category)
  AND (:portal IS NULL OR portal = :portal)
  AND (:since IS NULL OR published_on >= :since)
  AND (:until IS NULL OR published_on <= :until)
ORDER BY decode_losses DESC, article_id

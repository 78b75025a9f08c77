-- title: Views of an article by day
-- group: Readers
-- description: How often an article was read, day by day, as far as its counter was seen.
-- parameter: article integer = NULL; The portal's article number; NULL = all articles
-- parameter: since date = NULL; Only days from this one on
-- parameter: until date = NULL; Only days up to this one
-- parameter: top integer = 1000; How many rows, the latest days first
-- parameter: portal text = NULL; Only this portal
-- column: day; The day in Asia/Shanghai
-- column: portal; The portal
-- column: article_id; The portal's article number
-- column: views; Views as last seen on that day
-- column: change; Views more than on the day before it that was seen; NULL = the first
-- column: days; Days between the two looks; NULL = the first
-- column: per_day; Change a day; NULL = the first, or the counter went back
SELECT day, portal, article_id, views, change, {round:days,2} AS days, {round:per_day,2} AS per_day
FROM views_daily
WHERE (:article IS NULL OR article_id = :article)
  AND (:since IS NULL OR day >= :since)
  AND (:until IS NULL OR day <= :until)
  AND (:portal IS NULL OR portal = :portal)
ORDER BY day DESC, article_id DESC
LIMIT :top

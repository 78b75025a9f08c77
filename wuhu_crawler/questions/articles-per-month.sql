-- title: Articles per month and category
-- group: Articles
-- description: How many articles were published in each month, and in which categories. Articles without a date of publication
--   are under NULL.
-- parameter: category text = NULL; Only this category
-- parameter: since date = NULL; Only articles published on this day or later
-- parameter: until date = NULL; Only articles published on this day or earlier
-- parameter: portal text = NULL; Only this portal
-- column: month; Month of publication, `2024-02`; NULL = no date of publication
-- column: category; Category; NULL = none shown
-- column: articles; Articles published
-- column: with_views; Those that show how often they were read
-- column: views; Views of these, as last seen
SELECT SUBSTR(published_on, 1, 7) AS month, category, COUNT(*) AS articles, COUNT(views) AS with_views,
  CAST(SUM(views) AS BIGINT) AS views
FROM articles
WHERE (:category IS NULL OR category = :category)
  AND (:portal IS NULL OR portal = :portal)
  AND (:since IS NULL OR published_on >= :since)
  AND (:until IS NULL OR published_on <= :until)
GROUP BY SUBSTR(published_on, 1, 7), category
ORDER BY month DESC NULLS LAST, articles DESC, category NULLS LAST

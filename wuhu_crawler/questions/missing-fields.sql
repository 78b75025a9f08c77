-- title: Field coverage by month
-- group: Quality
-- description: How many of a month's articles have each field, in percent. Where one falls off from a month to the next, the
--   portal's template has changed, and a label may be missing from extraction.
-- parameter: category text = NULL; Only this category
-- parameter: portal text = NULL; Only this portal
-- parameter: month text(published|captured) = published; Which month: of publication, or in which the text was first captured (UTC)
-- column: month; The month; NULL = no day of publication
-- column: articles; Articles of that month
-- column: title; Percent with a title
-- column: category; Percent with a category
-- column: published; Percent with a day of publication
-- column: time_of_day; Percent that tell the time of day as well
-- column: source_date; Percent with a date of the source
-- column: views; Percent that show how often they were read
-- column: reporters; Percent that name a reporter
-- column: outlets; Percent that name an outlet
-- column: credits; Percent that name anyone
-- column: decoded; Percent without a character that could not be decoded
WITH told AS (
  SELECT CASE WHEN :month = 'captured' THEN {month:version_captured_at} ELSE {month:published_on} END AS month,
    title, category, published_on, published_precision, source_date, views, reporters, outlets, byline, decode_losses
  FROM articles
  WHERE (:category IS NULL OR category = :category)
    AND (:portal IS NULL OR portal = :portal))
SELECT month, COUNT(*) AS articles,
  {round:COUNT(CASE WHEN title <> '' THEN 1 END) * 100.0 / COUNT(*),1} AS title,
  {round:COUNT(category) * 100.0 / COUNT(*),1} AS category,
  {round:COUNT(published_on) * 100.0 / COUNT(*),1} AS published,
  {round:COUNT(CASE WHEN published_precision <> 'day' THEN 1 END) * 100.0 / COUNT(*),1} AS time_of_day,
  {round:COUNT(source_date) * 100.0 / COUNT(*),1} AS source_date,
  {round:COUNT(views) * 100.0 / COUNT(*),1} AS views,
  {round:COUNT(reporters) * 100.0 / COUNT(*),1} AS reporters,
  {round:COUNT(outlets) * 100.0 / COUNT(*),1} AS outlets,
  {round:COUNT(byline) * 100.0 / COUNT(*),1} AS credits,
  {round:COUNT(CASE WHEN decode_losses = 0 THEN 1 END) * 100.0 / COUNT(*),1} AS decoded
FROM told
GROUP BY month
ORDER BY month DESC NULLS LAST

-- title: Quiet days
-- group: Articles
-- description: Days without any article between the first and the last day of publication, with what is usual on that weekday:
--   the average of the same weekday in the four weeks before and the four weeks after. A run is quiet days in a row.
-- parameter: category text = NULL; Only articles of this category count
-- parameter: since date = NULL; Only days from this one on
-- parameter: until date = NULL; Only days up to this one
-- parameter: usual number = 0; Only days on which at least so many articles are usual
-- parameter: portal text = NULL; Only this portal
-- column: day; The day
-- column: weekday; Its weekday
-- column: usual; Articles usual on that weekday at that time
-- column: run; How many quiet days in a row it is one of
-- column: run_began; The first of these days
WITH RECURSIVE counted AS (
  SELECT published_on AS day, COUNT(*) AS articles
  FROM articles
  WHERE published_on IS NOT NULL
    AND (:category IS NULL OR category = :category)
    AND (:portal IS NULL OR portal = :portal)
  GROUP BY published_on),
calendar(day, last, number) AS (
  SELECT MIN(day), MAX(day), 0 FROM counted HAVING COUNT(*) > 0
  UNION ALL
  SELECT {after:day,1}, last, number + 1 FROM calendar WHERE day < last),
days AS (
  SELECT calendar.day, calendar.number, COALESCE(counted.articles, 0) AS articles
  FROM calendar LEFT JOIN counted ON counted.day = calendar.day),
weeks AS (
  SELECT day, number, articles,
    AVG(articles) OVER (PARTITION BY number % 7 ORDER BY number ROWS BETWEEN 4 PRECEDING AND 4 FOLLOWING EXCLUDE CURRENT ROW) AS usual
  FROM days),
quiet AS (
  SELECT day, usual, number - ROW_NUMBER() OVER (ORDER BY number) AS island FROM weeks WHERE articles = 0),
runs AS (
  SELECT day, usual, COUNT(*) OVER (PARTITION BY island) AS run, MIN(day) OVER (PARTITION BY island) AS run_began FROM quiet)
SELECT day,
  CASE {weekday:day} WHEN 1 THEN 'Monday' WHEN 2 THEN 'Tuesday' WHEN 3 THEN 'Wednesday' WHEN 4 THEN 'Thursday'
    WHEN 5 THEN 'Friday' WHEN 6 THEN 'Saturday' ELSE 'Sunday' END AS weekday,
  {round:COALESCE(usual, 0),2} AS usual, run, run_began
FROM runs
WHERE (:since IS NULL OR day >= :since)
  AND (:until IS NULL OR day <= :until)
  AND COALESCE(usual, 0) >= :usual
ORDER BY day DESC

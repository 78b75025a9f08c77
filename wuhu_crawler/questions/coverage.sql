-- title: Coverage by month and category
-- group: Quality
-- description: What is there of each month and category: captured, removed by the portal since, or only ever seen in a listing.
--   `wuhu coverage` tells the same of the portal's article numbers.
-- parameter: portal text = NULL; Only this portal
-- parameter: category text = NULL; Only this category
-- column: portal; The portal
-- column: month; Month of publication; NULL = the day of publication is not told
-- column: category; Category; NULL = none shown
-- column: captured; Articles captured
-- column: missing; Those of them the portal did not have any more at the last look, but are not gone
-- column: gone; Those of them that are gone: three such answers over seven days
-- column: only_listed; Articles a listing shows with a date in this month, of which no text was ever captured
SELECT portal, month, category, captured, missing, gone, only_listed
FROM coverage_by_month
WHERE (:portal IS NULL OR portal = :portal)
  AND (:category IS NULL OR category = :category)
ORDER BY portal, month DESC NULLS LAST, captured DESC, category NULLS LAST

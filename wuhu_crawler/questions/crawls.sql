-- title: Crawls
-- group: Quality
-- description: The latest crawls with what each brought.
-- parameter: portal text = NULL; Only this portal
-- parameter: top integer = 50; How many crawls
-- column: crawl_id; Crawl ID
-- column: job; Name of the spider or command
-- column: status; running, finished, interrupted or failed
-- column: started_at; When it began (UTC)
-- column: hours; Hours it took; NULL = it has not ended
-- column: captures; Responses it kept
-- column: megabytes; Millions of bytes of their records
-- column: new_articles; Articles it captured first
-- column: new_versions; Texts it captured first, those of new articles included
-- column: missing; URLs the portal said it has no such article for
-- column: failed; URLs without an answer, cut short, or with an error page
-- column: blocked; URLs the portal refused
SELECT crawl_id, job, status, started_at, {round:{days:finished_at,started_at} * 24,2} AS hours, captures,
  {round:bytes / 1000000.0,1} AS megabytes, new_articles, new_versions, missing, failed + truncated AS failed, blocked
FROM crawls
WHERE :portal IS NULL OR portal = :portal
ORDER BY started_at DESC, crawl_id DESC
LIMIT :top

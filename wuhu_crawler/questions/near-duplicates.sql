-- title: Near-duplicates
-- group: Changes
-- description: The same story under several numbers: one row an article of a cluster, the article published first at its head.
--   Two articles are in one cluster when their texts are alike, or both are like a third one's.
-- parameter: similarity number = NULL; Only texts at least so alike, 0 to 1; NULL = all that are known
-- parameter: article integer = NULL; Only the cluster of this article
-- parameter: category text = NULL; Only clusters with an article of this category
-- parameter: portal text = NULL; Only clusters with an article of this portal
-- column: cluster; Number of the cluster's earliest article
-- column: articles; Articles of the cluster
-- column: place; Order in the cluster by publication; 1 = the earliest
-- column: portal; The portal
-- column: article_id; The portal's article number
-- column: published_at; Publication time in the portal's zone; NULL = not told
-- column: title; Title
-- column: category; Category; NULL = none shown
-- column: outlets; Outlets named in the credits; NULL = none
-- column: similarity; How alike it is to the nearest other one of the cluster: shingles of both texts as a share of those of either
-- column: characters; Characters of the text
WITH RECURSIVE pairs AS MATERIALIZED (
  SELECT d.article_key AS one, d.other_key AS other, d.similarity
  FROM near_duplicate d
  JOIN articles a ON a.article_key = d.article_key JOIN articles b ON b.article_key = d.other_key
  WHERE :similarity IS NULL OR d.similarity >= :similarity),
edges AS MATERIALIZED (
  SELECT one, other, similarity FROM pairs UNION ALL SELECT other, one, similarity FROM pairs),
-- A cluster is what can be reached from an article without a neighbour of a lower number; there may be several such in one.
reached(root, article_key) AS (
  SELECT one, one FROM edges GROUP BY one HAVING MIN(other) > one
  UNION
  SELECT reached.root, edges.other FROM reached JOIN edges ON edges.one = reached.article_key),
members AS (
  SELECT article_key, MIN(root) AS root FROM reached GROUP BY article_key),
nearest AS (
  SELECT one AS article_key, MAX(similarity) AS similarity FROM edges GROUP BY one),
placed AS (
  SELECT m.root, a.article_key, a.portal, a.article_id, a.published_at, a.title, a.category, a.outlets, a.characters, n.similarity,
    ROW_NUMBER() OVER (PARTITION BY m.root ORDER BY a.published_at NULLS LAST, a.first_captured_at, a.article_id) AS place,
    COUNT(*) OVER (PARTITION BY m.root) AS articles
  FROM members m JOIN articles a ON a.article_key = m.article_key JOIN nearest n ON n.article_key = m.article_key),
chosen AS (
  SELECT root FROM placed
  GROUP BY root
  HAVING (:article IS NULL OR MAX(CASE WHEN article_id = :article THEN 1 ELSE 0 END) = 1)
    AND (:portal IS NULL OR MAX(CASE WHEN portal = :portal THEN 1 ELSE 0 END) = 1)
    AND (:category IS NULL OR MAX(CASE WHEN category = :category THEN 1 ELSE 0 END) = 1))
SELECT head.article_id AS cluster, p.articles, p.place, p.portal, p.article_id, p.published_at, p.title, p.category, p.outlets,
  {round:p.similarity,3} AS similarity, p.characters
FROM placed p JOIN chosen ON chosen.root = p.root JOIN placed head ON head.root = p.root AND head.place = 1
ORDER BY p.articles DESC, head.article_id, head.article_key, p.place

-- title: Articles by a reporter
-- group: People
-- description: The articles someone is named in, in whatever role, newest first.
-- parameter: name text = NULL; Name of the person, whole; NULL = anyone
-- parameter: role text(reporter|correspondent|photographer|editor|intern|author|other) = NULL; Only in this role
-- parameter: outlet text = NULL; Only where they are named with this outlet
-- parameter: top integer = 100; How many rows
-- parameter: portal text = NULL; Only this portal
-- column: portal; The portal
-- column: article_id; The portal's article number
-- column: published_on; Day of publication; NULL = not told
-- column: title; Title
-- column: category; Category; NULL = none shown
-- column: role; Role
-- column: name; Name of the person
-- column: outlet; Outlet they are named with; NULL = none
SELECT portal, article_id, published_on, title, category, role, name, outlet
FROM credits
WHERE (:name IS NULL OR name = :name)
  AND (:role IS NULL OR role = :role)
  AND (:outlet IS NULL OR outlet = :outlet)
  AND (:portal IS NULL OR portal = :portal)
ORDER BY published_on DESC NULLS LAST, article_id DESC, position
LIMIT :top

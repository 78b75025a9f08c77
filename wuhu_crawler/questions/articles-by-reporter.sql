-- title: Articles by a reporter
-- group: People
-- description: The articles someone is named in, in whatever role, newest first.
-- parameter: name text = NULL; Name of the person, whole; NULL = anyone
-- parameter: role text = NULL; Only in this role: reporter, correspondent, photographer, editor, intern, author or other
-- parameter: outlet text = NULL; Only where they are named with this outlet
-- parameter: top integer = 100; How many rows
-- column: article_id; The portal's article number
-- column: published_on; Day of publication; NULL = not told
-- column: title; Title
-- column: category; Category; NULL = none shown
-- column: role; Role
-- column: name; Name of the person
-- column: outlet; Outlet they are named with; NULL = none
SELECT article_id, published_on, title, category, role, name, outlet
FROM credits
WHERE (:name IS NULL OR name = :name)
  AND (:role IS NULL OR role = :role)
  AND (:outlet IS NULL OR outlet = :outlet)
ORDER BY published_on DESC NULLS LAST, article_id DESC, position
LIMIT :top

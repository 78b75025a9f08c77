"""When an article is gone, and what became of the ones that were not there at the last look: the rule, in this one place.

One answer that an article is not there proves little: portals lose a database for an evening, hide a page while it is edited,
or show the wrong error page. So it is *missing* from the first such answer on, and *gone* after several over at least a week.
Only answers that there is no such article count; time-outs, refusals, error pages and redirects do not, and do not end the
count either. An answer with the article in it does: it is back. SQL view `article_state` has the facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import Connection, text

from ..errors import UsageError

Standing = Literal["present", "missing", "gone"]


@dataclass(frozen=True, slots=True)
class GoneRule:
    """Settings WUHU_GONE_OBSERVATIONS and WUHU_GONE_DAYS."""

    observations: int = 3
    days: float = 7.0

    def __post_init__(self) -> None:
        """Raises UsageError for a rule by which what is there would be gone."""
        if self.observations < 1 or self.days < 0:
            raise UsageError("WUHU_GONE_OBSERVATIONS must be at least 1, WUHU_GONE_DAYS at least 0")

    @classmethod
    def of(cls, number: Callable[[str], float]) -> GoneRule:
        """Return the rule of the settings, each asked for by its name."""
        return cls(int(number("WUHU_GONE_OBSERVATIONS")), number("WUHU_GONE_DAYS"))

    def standing(self, times_missing: int, since: datetime | None, until: datetime | None) -> Standing:
        """Return how an article stands that was missing so often since it was last there, first and last at these times."""
        if not times_missing or since is None or until is None:
            return "present"
        enough = times_missing >= self.observations and until - since >= timedelta(days=self.days)
        return "gone" if enough else "missing"

    def ask_from(self, times_missing: int, since: datetime, until: datetime) -> datetime:
        """Return from when on a missing article is asked again, so that it is soon known to be gone: the next night, but the
        answer that may decide not before the days are over."""
        next_night = until + timedelta(days=1)
        return next_night if times_missing + 1 < self.observations else max(next_night, since + timedelta(days=self.days))


@dataclass(slots=True)
class Absence:
    """What a known article answered since it was last there whole: how often it was missing, the first and the last time; and
    since when, until when it gave no clear answer after that (`unclear` is the last such)."""

    article_id: int
    times_missing: int = 0
    since: datetime | None = None
    until: datetime | None = None
    unclear: str | None = None
    unclear_since: datetime | None = None
    unclear_until: datetime | None = None

    def add(self, answer: str, at: datetime) -> None:
        """Take in an observation, in order of time."""
        if answer == "missing":
            self.times_missing, self.since, self.until = self.times_missing + 1, self.since or at, at
            self.unclear = self.unclear_since = self.unclear_until = None
            return
        if answer == "article":
            # It is there, if not whole: a part could not be had.
            self.times_missing, self.since, self.until = 0, None, None
        self.unclear, self.unclear_since, self.unclear_until = answer, self.unclear_since or at, at


def absences(connection: Connection, portal: str) -> Iterator[Absence]:
    """Yield the captured articles of a portal that were asked for again and not had whole since, in order of their numbers."""
    rows = connection.execute(_SINCE, {"portal": portal}, execution_options={"yield_per": 1000})
    for article_id, answers in groupby(rows, key=lambda row: row.article_id):
        absence = Absence(article_id)
        for row in answers:
            absence.add(row.answer, datetime.fromisoformat(row.observed_at))
        yield absence


def standings(connection: Connection, portal: str, rule: GoneRule) -> dict[Standing, int]:
    """Return how many captured articles of a portal are missing and how many are gone."""
    found: dict[Standing, int] = {"missing": 0, "gone": 0}
    for absence in absences(connection, portal):
        standing = rule.standing(absence.times_missing, absence.since, absence.until)
        if standing != "present":
            found[standing] += 1
    return found


def history(connection: Connection, portal: str, article_id: int) -> list[dict[str, Any]]:
    """Return every observation of an article, the first one first, as SQL view `article_observation` has them."""
    rows = connection.execute(_OBSERVATIONS, {"portal": portal, "article_id": article_id}).mappings()
    return [dict(row) for row in rows]


def state(connection: Connection, portal: str, article_id: int, rule: GoneRule) -> dict[str, Any] | None:
    """Return an article's row of SQL view `article_state` with its `standing`; None when nobody asked for its number."""
    row = connection.execute(_STATE, {"portal": portal, "article_id": article_id}).mappings().one_or_none()
    if row is None:
        return None
    times = [None if row[name] is None else datetime.fromisoformat(row[name]) for name in ("missing_since", "missing_until")]
    return {"standing": rule.standing(row["times_missing"], *times), **row}


_SINCE = text(
    """
    SELECT v.article_id, v.answer, v.observed_at, v.capture_id FROM article_observation v
    JOIN article a ON a.portal = v.portal AND a.article_id = v.article_id
    WHERE v.portal = :portal AND v.observed_at > a.last_captured_at
    UNION ALL
    SELECT o.article_id, 'excluded', o.at, o.capture_id FROM outcome o
    JOIN crawl w ON w.id = o.crawl_id JOIN article a ON a.portal = w.portal AND a.article_id = o.article_id
    WHERE w.portal = :portal AND o.outcome = 'excluded' AND o.at > a.last_captured_at
    ORDER BY 1, 3, 4
    """
)
_OBSERVATIONS = text(
    """
    SELECT observed_at, answer, reason, url, crawl_id, capture_id FROM article_observation
    WHERE portal = :portal AND article_id = :article_id ORDER BY observed_at, COALESCE(capture_id, 0)
    """
)
_STATE = text("SELECT * FROM article_state WHERE portal = :portal AND article_id = :article_id")

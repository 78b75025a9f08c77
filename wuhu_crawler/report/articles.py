"""What a crawl brought: new, changed and missing articles, and how well their pages were read."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

_VERSIONS = text(
    """
    SELECT a.article_id, v.url, v.number, v.title, v.published_at, v.published_precision, v.source_date, v.reporters, v.outlets,
      v.body, v.decode_losses, v.encoding, v.evidence, g.name AS category, c.captured_at,
      (SELECT MAX(s.views) FROM view_observation s WHERE s.article_key = a.key AND s.capture_id = v.capture_id) AS views
    FROM capture c JOIN article_version v ON v.capture_id = c.id JOIN article a ON a.key = v.article_key
    LEFT JOIN category g ON g.id = v.category_id
    WHERE c.crawl_id = :crawl ORDER BY a.article_id, v.number
    """
)
_PAGES = text("SELECT page_kind, COUNT(*) AS pages FROM capture WHERE crawl_id = :crawl AND page_kind IS NOT NULL GROUP BY 1")
# Numbers that were there once and are not any more: what the crawl found missing among them, and for the how-many-th time.
_MISSING = text(
    """
    SELECT o.article_id, a.url, v.title, COUNT(p.article_id) AS times FROM outcome o
    JOIN article a ON a.article_id = o.article_id AND a.portal = :portal
    JOIN article_version v ON v.article_key = a.key AND v.number = a.versions
    LEFT JOIN article_observation p ON p.portal = a.portal AND p.article_id = a.article_id AND p.answer = 'missing'
      AND p.observed_at > a.last_captured_at
    WHERE o.crawl_id = :crawl AND o.outcome = 'missing' GROUP BY o.article_id, a.url, v.title ORDER BY o.article_id
    """
)
_KNOWN = text("SELECT MAX(article_id) FROM article WHERE portal = :portal AND first_captured_at < :began")
# What is left of text that was read in the wrong encoding and then stored: replacement characters, and their best known ruins.
_RUINS = re.compile("\ufffd|锟斤拷|烫烫烫|屯屯屯|[À-ÿ]{4,}|(?:鈥|涓|鏂|鍦|绗|甯|鐨|浜){3,}")
# A template is known by the rules that found what every article has, and by the labels of its date line and breadcrumb.
_RULES, _LABELS = ("title", "published_text", "paragraphs"), ("published_text", "breadcrumb")
_LABEL = re.compile("([\u4e00-\u9fff]{2,8})\\s*[:：]")
_FIELDS = ("title", "published_at", "source_date", "category", "reporters", "outlets", "views", "body")
# More hours later than it was captured, a date is of another zone or another clock.
_AHEAD = 1.0


def facts(connection: Connection, crawl: str, portal: str, began: str, examples: int) -> dict[str, Any]:
    """Return what a crawl that `began` then brought of articles, with `examples` of each kind, the latest ones.

    `fields` has for each field the number of new versions that show it, out of `read`; `templates` how many of them were read
    by which set of rules; `dates` what is odd about their dates. Texts are read one by one: a first crawl brings them all.
    """
    tally = _Tally(examples, connection.execute(_KNOWN, {"portal": portal, "began": began}).scalar_one())
    rows = connection.execution_options(yield_per=200).execute(_VERSIONS, {"crawl": crawl}).mappings()
    for row in rows:
        tally.add(_read(dict(row)))
    missing = [dict(row) for row in connection.execute(_MISSING, {"crawl": crawl, "portal": portal}).mappings()]
    pages = {row.page_kind: row.pages for row in connection.execute(_PAGES, {"crawl": crawl})}
    return {"pages": pages, **tally.facts(), "missing": {"count": len(missing), "examples": missing[:examples]}}


class _Tally:
    """Adds up what the versions of a crawl say."""

    def __init__(self, examples: int, known: int | None) -> None:
        self._known = known
        self._counts: Counter[str] = Counter()
        self._shown: dict[str, deque[dict[str, Any]]] = {kind: deque(maxlen=examples) for kind in ("new", "changed", "damaged")}
        self._fields: Counter[str] = Counter(dict.fromkeys(_FIELDS, 0))
        self._categories: Counter[str] = Counter()
        self._encodings: Counter[str] = Counter()
        self._templates: dict[str, dict[str, Any]] = {}
        self._lags: list[float] = []
        self._highest: int | None = None

    def add(self, row: Mapping[str, Any]) -> None:
        """Take one version into account."""
        kind = "new" if row["number"] == 1 else "changed"
        self._counts.update({kind: 1, "losses": row["decode_losses"], "characters": len(row["body"])})
        self._counts.update({"ruined": int(row["ruined"]), "lossy": int(row["decode_losses"] > 0)})
        self._shown[kind].append(_shown(row))
        if row["decode_losses"] or row["ruined"]:
            self._shown["damaged"].append(_shown(row))
        self._fields.update(name for name in _FIELDS if row[name] not in (None, "", []))
        self._encodings[row["encoding"] or ""] += 1
        self._add_template(row)
        if kind == "new":
            self._categories[row["category"] or ""] += 1
            self._highest = max(self._highest or 0, row["article_id"])
            self._counts["below"] += self._known is not None and row["article_id"] < self._known
            if row["published_at"] and row["published_precision"] != "day":
                waited = datetime.fromisoformat(row["captured_at"]) - datetime.fromisoformat(row["published_at"])
                self._lags.append(waited.total_seconds() / 3600)

    def facts(self) -> dict[str, Any]:
        """Return what was added up."""
        counts, shown = self._counts, self._shown
        templates = sorted(self._templates.values(), key=lambda each: (-each["articles"], each["fingerprint"]))
        return {
            "read": counts["new"] + counts["changed"],
            "new": {"count": counts["new"], "examples": list(shown["new"])},
            "changed": {"count": counts["changed"], "examples": list(shown["changed"])},
            "highest": self._highest,
            "known": self._known,
            "below": counts["below"],
            "categories": dict(self._categories.most_common()),
            "characters": counts["characters"],
            "fields": dict(self._fields),
            "templates": templates,
            "decode": {
                "losses": counts["losses"],
                "lossy": counts["lossy"],
                "ruined": counts["ruined"],
                "encodings": dict(self._encodings.most_common()),
                "examples": list(shown["damaged"]),
            },
            "dates": self._dates(),
        }

    def _add_template(self, row: Mapping[str, Any]) -> None:
        told = _told_by(row["evidence"])
        mark = hashlib.sha256(json.dumps(told, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:12]
        kept = self._templates.setdefault(mark, {"fingerprint": mark, "articles": 0, **told, "example": row["url"]})
        kept["articles"] += 1

    def _dates(self) -> dict[str, Any]:
        """Return how many new articles are dated after they were captured, and the hours from publication to capture."""
        lags = sorted(self._lags)
        return {
            "timed": len(lags),
            "ahead": sum(lag < -_AHEAD for lag in lags),
            "least_hours": round(lags[0], 2) if lags else None,
            "median_hours": round(lags[len(lags) // 2], 2) if lags else None,
        }


def _read(row: dict[str, Any]) -> dict[str, Any]:
    for name in ("reporters", "outlets", "evidence"):
        row[name] = loaded(row[name])
    row["ruined"] = bool(_RUINS.search(f"{row['title'] or ''}\n{row['body']}"))
    return row


def loaded(value: Any) -> Any:
    """Return a JSON column of a plain query: SQLite gives its text."""
    return json.loads(value) if isinstance(value, str) else value


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("article_id", "number", "title", "category", "published_at", "url")}


def _told_by(evidence: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return what tells a template: the rules that read it, and the labels it prints."""
    rules = {name: evidence[name]["rule"] for name in _RULES if name in evidence}
    labels = [label for name in _LABELS if name in evidence for label in _LABEL.findall(evidence[name]["text"])]
    return {"rules": rules, "labels": sorted(set(labels))}

"""How the extraction benchmark scores: titles, days, body F1, names per role, heading trees. Standard library only."""

from __future__ import annotations

import html
import importlib.util
import io
import json
import re
import tempfile
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

_SPACES = re.compile(r"\s+")
_DAY = re.compile(r"(\d{4})\D{1,3}(\d{1,2})\D{1,3}(\d{1,2})")
_FIGURES = re.compile(r"precision ([\d.]+), recall ([\d.]+), F1 ([\d.]+); level right ([\d.]+)")
_GRAM = 4
ROLES = {"reporters": "reporter", "correspondents": "correspondent", "photographers": "photographer", "editors": "editor"}


def packed(text: str) -> str:
    """Return a text without any white space and character references: what two texts are compared by."""
    return _SPACES.sub("", html.unescape(text))


def day(text: str) -> str | None:
    """Return the day a date's words begin with, as 2024-02-03; None when they hold none."""
    found = _DAY.search(text)
    return f"{int(found[1]):04}-{int(found[2]):02}-{int(found[3]):02}" if found else None


def grams(text: str) -> Counter[str]:
    """Return the character 4-grams of a text without white space; one shorter than that is a gram itself."""
    text = packed(text)
    return Counter(text[i : i + _GRAM] for i in range(max(1, len(text) - _GRAM + 1))) if text else Counter()


def f1(found: str, wanted: str) -> float:
    """Return F1 of the two texts' character 4-grams, each counted as often as it stands there."""
    mine, theirs = grams(found), grams(wanted)
    both = (mine & theirs).total()
    return 2 * both / (mine.total() + theirs.total()) if both else 0.0


def names_by_role(credits: list[Any]) -> dict[str, list[str]]:
    """Return the set of names of each role bylines.jsonl tells, sorted."""
    return {field: sorted({c.name for c in credits if c.role == role}) for field, role in ROLES.items()}


def headings_by_score(folder: Path, found: dict[str, list[dict[str, Any]]]) -> dict[str, float]:
    """Return what the folder's own score.py says of the headings found (id -> [{level, text}])."""
    with tempfile.TemporaryDirectory() as place, redirect_stdout(io.StringIO()) as told:
        path = Path(place) / "found.jsonl"
        path.write_text("".join(json.dumps({"id": k, "headings": v}) + "\n" for k, v in found.items()), encoding="utf-8")
        scorer = _scorer(folder)
        scorer.sections(scorer.rows(path))
    figures = _FIGURES.search(told.getvalue())
    if figures is None:
        raise SystemExit(f"{folder / 'score.py'} prints something unexpected: {told.getvalue()!r}")
    return dict(zip(("precision", "recall", "f1", "level"), map(float, figures.groups()), strict=True))


def heading_differences(folder: Path, row: dict[str, Any], found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return (found, wanted) of each heading of a text that score.py counts as wrong; '' where one side has none."""
    scorer = _scorer(folder)
    if row["id"] in scorer.NOT_SCORED:
        return []
    headings = row.get("headings") or []
    hard = [h for h in headings if not h["run_in"] and not any(word in h["style"] for word in scorer.NOT_HEADINGS)]
    gold = {packed(h["text"]): h["level"] for h in hard}
    soft = tuple({packed(h["text"]) for h in headings} - gold.keys())
    mine = {packed(h["text"]): h["level"] for h in found if not packed(h["text"]).startswith(soft or ("\0",))}
    return [
        (f"level {mine[text]}: {text}" if text in mine else "", f"level {gold[text]}: {text}" if text in gold else "")
        for text in (*gold, *(mine.keys() - gold.keys()))
        if mine.get(text) != gold.get(text)
    ]


def _scorer(folder: Path) -> Any:
    spec = importlib.util.spec_from_file_location("score", folder / "score.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"there is no {folder / 'score.py'}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

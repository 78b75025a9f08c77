"""The questions there are: ours, and those of the user's folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ..errors import UsageError
from .question import Question
from .reader import read

OURS = Path(__file__).parent


def load(folders: Iterable[Path] = (), tell: Callable[[str], None] | None = None) -> dict[str, Question]:
    """Return the questions by name: ours, then those of each folder's *.sql; one of an earlier name takes its place.

    What is wrong with a file is told to `tell`, in a sentence, and the file left out; without `tell` a UsageError is raised.
    That a question takes the place of another is only told.
    """
    found = {path.stem: read(path) for path in _files(OURS)}
    for folder in folders:
        for path in _files(folder):
            try:
                question = read(path)
            except UsageError as error:
                if tell is None:
                    raise
                tell(str(error))
                continue
            if tell is not None and path.stem in found:
                tell(f"{path} takes the place of {found[path.stem].file}: give it another name to have both")
            found[question.name] = question
    return found


def folders_of(root: Path, environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Return the user's folders for the archive in `root`: `questions` in it, where there is one, and WUHU_QUESTIONS_DIR."""
    own = root / "questions"
    named = environ.get("WUHU_QUESTIONS_DIR")
    return [*([own] if own.is_dir() else []), *([Path(named)] if named else [])]


def _files(folder: Path) -> list[Path]:
    """Return the question files of a folder in order of their names. Raises UsageError when there is no such folder."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder of questions at {folder}")
    return sorted(folder.glob("*.sql"))

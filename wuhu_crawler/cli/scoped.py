"""The options of every command that asks an archive something: as of when, and whether suppressed articles are shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from ..db.scope import Scope, as_of

_AS_OF = click.option(
    "--as-of",
    "moment",
    metavar="DATE",
    help="The archive as it stood at the end of that day in Asia/Shanghai (2024-03-01), or at a time with its offset.",
)
_SUPPRESSED = click.option("--include-suppressed", is_flag=True, help="For archivists: show suppressed articles as well.")


def scoped(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --as-of and --include-suppressed; it is called with `scope`."""

    @wraps(command)
    def call(*arguments: Any, moment: str | None, include_suppressed: bool, **options: Any) -> Any:
        until = None if moment is None else as_of(moment)
        return command(*arguments, scope=Scope(until, include_suppressed), **options)

    return _AS_OF(_SUPPRESSED(call))

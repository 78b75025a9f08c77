"""Column types that read well in the `sqlite3` shell and mean the same on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Dialect, String
from sqlalchemy.types import TypeDecorator


class UtcTime(TypeDecorator[datetime]):
    """A time of ours: text `2026-11-23T15:05:00.123456Z`, always UTC and 27 characters, so text order is time order."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Return the text of an aware datetime. Raises ValueError for a naive one."""
        return None if value is None else utc_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return the aware UTC datetime."""
        return None if value is None else datetime.fromisoformat(value)


class PortalTime(TypeDecorator[datetime]):
    """A time the portal printed: text `2024-02-03T20:24:31+08:00`, keeping the portal's offset."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Return the text of an aware datetime. Raises ValueError for a naive one."""
        return None if value is None else _aware(value).isoformat()

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return the aware datetime with its own offset."""
        return None if value is None else datetime.fromisoformat(value)


def utc_text(value: datetime) -> str:
    """Return a time of ours as the database writes it. Raises ValueError for a naive one."""
    if value.tzinfo is not UTC:
        value = _aware(value).astimezone(UTC)
    return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return value

"""Feeds beyond JSON: a CSV cell holds a list of the schema as JSON, not as Python's notation of it."""

from __future__ import annotations

import json
from typing import Any

from scrapy.exporters import CsvItemExporter

from ..items import to_json


class CsvArticles(CsvItemExporter):
    """`-O out.csv`: one article a row, nested fields as JSON text, an absent field as an empty cell."""

    def serialize_field(self, field: Any, name: str, value: Any) -> Any:
        """Return a cell's value."""
        if isinstance(value, list | dict):
            return json.dumps(to_json(value), ensure_ascii=False)
        return super().serialize_field(field, name, value)

"""Small charts as inline SVG, each with its meaning in words for those who do not see it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 180, 36
_BAR, _ROW, _LABEL = 360, 22, 120


def line(values: Sequence[float], meaning: str) -> str:
    """Return a line from the oldest value to the latest, which has a dot; nothing for fewer than two."""
    if len(values) < 2:
        return ""
    top = max(*values, 1e-9)
    step = (WIDTH - 8) / (len(values) - 1)
    points = [(4 + step * place, HEIGHT - 4 - (HEIGHT - 8) * value / top) for place, value in enumerate(values)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return (
        f'<svg role="img" aria-label="{escape(meaning, quote=True)}" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}"><polyline class="stroke" points="{path}"/>'
        f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="3"/></svg>'
    )


def bars(shares: Sequence[tuple[str, float]], meaning: str) -> str:
    """Return a bar a name, as long as its share (0 to 1), with the percentage behind it."""
    rows = [
        f'<text x="0" y="{_ROW * place + 15}" fill="currentColor">{escape(name)}</text>'
        f'<rect class="past" x="{_LABEL}" y="{_ROW * place + 4}" width="{_BAR}" height="14"/>'
        f'<rect class="mark" x="{_LABEL}" y="{_ROW * place + 4}" width="{_BAR * share:.1f}" height="14"/>'
        f'<text x="{_LABEL + _BAR + 8}" y="{_ROW * place + 15}" fill="currentColor">{100 * share:.0f} %</text>'
        for place, (name, share) in enumerate(shares)
    ]
    width, height = _LABEL + _BAR + 60, _ROW * len(shares)
    return (
        f'<svg role="img" aria-label="{escape(meaning, quote=True)}" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" style="max-width:100%" font-size="13">{"".join(rows)}</svg>'
    )

"""The report as one HTML file: nothing is loaded from elsewhere, no script; whatever comes from a portal is text, never markup.

Pure: from the facts of a run, those of the runs before it, and its findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from .charts import bars, line
from .style import STYLE

Facts = Mapping[str, Any]
TITLES = {
    "well": "All is well",
    "attention": "This needs attention",
    "broken": "Something is broken",
    "early": "Too early to judge",
}


def page(facts: Facts, history: Sequence[Facts], findings: Sequence[Mapping[str, Any]], verdict: str, title: str = "") -> str:
    """Return the HTML text of a run's report. `history` are the facts of the runs before, the oldest first."""
    crawl, run = facts["crawl"], facts["run"]
    name = title or crawl["portal"]
    head = f"{name}: {crawl['job']}, {run['started_at'][:16].replace('T', ' ')} UTC"
    parts = [
        f"<h1>{_t(head)}</h1>",
        f'<p class="soft">portal {_t(crawl["portal"])}, crawl {_t(crawl["id"])}, run {run["id"]}; {_t(_ending(run))}</p>',
        *_verdict(findings, verdict, len(history)),
        *_cards(facts, history),
        *_planned(facts["planned"]),
        *_articles(facts["articles"]),
        *_troubles(facts["troubles"]),
        *_requests(facts),
        *_read(facts["articles"]),
        *_space(facts["space"]),
        *_before(facts, history),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">'
        f"<title>{_t(head)}</title><style>{STYLE}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def span(seconds: float | None) -> str:
    """Return a time in words."""
    if seconds is None:
        return "an unknown time"
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def size(count: float | None) -> str:
    """Return a number of bytes in words."""
    if count is None:
        return "unknown"
    for unit, least in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= least:
            return f"{count / least:.1f} {unit}"
    return f"{count:.0f} bytes"


def _t(text: object) -> str:
    return escape(str(text), quote=True)


def _ending(run: Mapping[str, Any]) -> str:
    if run["finished_at"] is None:
        return "it did not come to its end"
    return f"took {span(run['seconds'])}; ended: {run['reason']}, exit code {run['exit_code']}"


def _verdict(findings: Sequence[Mapping[str, Any]], verdict: str, runs: int) -> Iterator[str]:
    yield f'<div class="verdict {_t(verdict)}"><strong>{TITLES[verdict]}.</strong>'
    if not findings:
        judged = f"Nothing is odd against the {runs} runs before." if verdict == "well" else f"{runs} runs before are too few."
        yield f"<p>{judged}</p>"
    yield from (f"<p>{_t(finding['level'])}: {_t(finding['text'])}</p>" for finding in findings)
    yield "</div>"


def _cards(facts: Facts, history: Sequence[Facts]) -> Iterator[str]:
    told: tuple[tuple[str, Callable[[Facts], Any], Callable[[Any], str]], ...] = (
        ("new articles", lambda f: f["articles"]["new"]["count"], str),
        ("changed articles", lambda f: f["articles"]["changed"]["count"], str),
        ("articles missing", lambda f: f["articles"]["missing"]["count"], str),
        ("requests", lambda f: f["pace"]["requests"], str),
        ("seconds between two", lambda f: f["pace"]["median_pause"], _short),
        ("WARC written", lambda f: f["space"]["bytes"], size),
    )
    yield '<div class="cards">'
    for name, value, words in told:
        past = [value(each) or 0 for each in history[-29:]]
        now = value(facts)
        chart = line([*past, now or 0], f"{name}, this run and {len(past)} before")
        yield f'<div class="card"><b>{_t(words(now))}</b><span class="soft">{name}</span>{chart}</div>'
    yield "</div>"


def _planned(planned: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if planned:
        yield "<h2>Planned and done</h2>"
        rows = [[row["part"], row["planned"], row["done"], row["brought"], _counted(row["skipped"])] for row in planned]
        yield _table(["requests for", "planned", "made", "brought", "not made, or in vain"], rows, {1, 2, 3})


def _counted(counts: Mapping[str, int] | None) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in (counts or {}).items())


def _articles(found: Mapping[str, Any]) -> Iterator[str]:
    for kind, heading in (("new", "New articles"), ("changed", "Changed articles"), ("missing", "Missing now")):
        part = found[kind]
        if not part["count"]:
            continue
        shown = part["examples"]
        more = f", {len(shown)} shown" if len(shown) < part["count"] else ""
        yield f"<h2>{heading}: {part['count']}{more}</h2>"
        yield '<div class="scroll"><table>'
        for row in shown:
            facts = _t(f"missing {row['times']} times") if kind == "missing" else _t(row.get("category") or "")
            date = _t((row.get("published_at") or "")[:10])
            yield f"<tr><td>{row['article_id']}</td><td>{_link(row['url'], row['title'] or '(no title)')}</td><td>{facts}</td>"
            yield f"<td>{date}</td></tr>"
        yield "</table></div>"


def _troubles(troubles: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not troubles:
        return
    yield "<h2>Not had, and why</h2>"
    yield '<div class="scroll"><table><tr><th>outcome</th><th>why</th><th class="number">URLs</th><th>for instance</th></tr>'
    for row in troubles[:30]:
        examples = "<br>".join(_link(each["url"], each["url"]) for each in row["examples"])
        yield f"<tr><td>{_t(row['outcome'])}</td><td>{_t(row['reason'] or '')}</td>"
        yield f'<td class="number">{row["urls"]}</td><td>{examples}</td></tr>'
    yield "</table></div>"
    if len(troubles) > 30:
        yield f'<p class="soft">and {len(troubles) - 30} reasons more, in the JSON</p>'


def _requests(facts: Facts) -> Iterator[str]:
    pace, requests = facts["pace"], facts["requests"]
    yield "<h2>Requests and politeness</h2>"
    kinds = [[row["kind"], row["requests"], size(row["bytes"])] for row in requests["by_kind"]]
    yield _table(["kind", "requests", "bodies"], kinds, {1, 2})
    status = ", ".join(f"{row['requests']} × {row['status'] or 'no HTTP'}" for row in requests["by_status"])
    yield f"<p>Status: {_t(status or 'none')}.</p>"
    if pace["median_pause"] is not None:
        yield (
            f"<p>Between two requests {_short(pace['least_pause'])} s at least, {_short(pace['median_pause'])} s in the "
            f"middle, {_short(pace['longest_pause'])} s at most. {_short(pace['a_minute'])} requests a minute, "
            f"{pace['busiest_minute']} in the busiest. The delay asked for was {_t(pace['delay'])} s.</p>"
        )


def _read(found: Mapping[str, Any]) -> Iterator[str]:
    if not found["read"]:
        return
    yield f"<h2>How {found['read']} pages were read</h2>"
    shares = [(name, count / found["read"]) for name, count in found["fields"].items()]
    yield bars(shares, "share of the pages that show each field")
    decode, dates = found["decode"], found["dates"]
    yield (
        f"<p>{decode['losses']} characters could not be decoded; {decode['ruined']} pages look wrongly decoded; "
        f"{dates['ahead']} of {dates['timed']} articles with a time are dated after they were captured.</p>"
    )
    rows = [
        [each["fingerprint"], each["articles"], " ".join(each["labels"]), each["example"]] for each in found["templates"][:12]
    ]
    yield _table(["template", "pages", "its labels", "for instance"], rows, {1})


def _space(space: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>WARC files and room</h2>"
    rows = [[each["name"], size(each["bytes"]), each["sha256"] or "being written"] for each in space["warc_files"]]
    yield _table(["file", "size", "SHA-256"], rows, {1})
    left = "no forecast yet" if space["days_left"] is None else f"enough for {space['days_left']} days like the last ones"
    growth = "" if space["bytes_a_day"] is None else f", {size(space['bytes_a_day'])} a day"
    yield f"<p>The WARC files take {size(space['archive_bytes'])}{growth}; {size(space['free'])} are free: {left}.</p>"


def _before(facts: Facts, history: Sequence[Facts]) -> Iterator[str]:
    if not history:
        return
    yield "<h2>The runs before</h2>"
    rows = [
        [
            each["run"]["started_at"][:16].replace("T", " "),
            each["pace"]["requests"],
            each["articles"]["new"]["count"],
            each["articles"]["changed"]["count"],
            each["articles"]["missing"]["count"],
            span(each["run"]["seconds"]),
            each["run"]["exit_code"],
        ]
        for each in [facts, *reversed(history[-14:])]
    ]
    yield _table(["started (UTC)", "requests", "new", "changed", "missing", "took", "exit code"], rows, {1, 2, 3, 4, 5, 6})


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]], numbers: set[int]) -> str:
    def cell(tag: str, place: int, value: Any) -> str:
        kind = ' class="number"' if place in numbers else ""
        return f"<{tag}{kind}>{_t('' if value is None else value)}</{tag}>"

    head = "".join(cell("th", place, name) for place, name in enumerate(columns))
    body = "\n".join("<tr>" + "".join(cell("td", place, value) for place, value in enumerate(row)) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{head}</tr>\n{body}</table></div>'


def _link(url: str, words: str) -> str:
    """Return a link; words alone where the address is none a browser should follow."""
    if not url.startswith(("http://", "https://")):
        return _t(words)
    return f'<a href="{_t(url)}" rel="noreferrer noopener">{_t(words)}</a>'


def _short(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3f}"

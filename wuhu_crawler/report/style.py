"""How a report looks: light and dark by the reader's setting, on paper and on a telephone, in the reader's own fonts."""

STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --soft: #566373; --line: #dde2e7; --paper: #ffffff; --blue: #2467b0;
  --well: #2e7d4f; --attention: #b25e09; --broken: #b3261e; --early: #566373; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaee; --soft: #a3afbb; --line: #2a313a; --paper: #14181d; --blue: #5aa2ea;
    --well: #6cc392; --attention: #f09a3e; --broken: #f2867f; --early: #a3afbb; }
}
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .4rem 0; } .soft { color: var(--soft); } .number { text-align: right; font-variant-numeric: tabular-nums; }
.verdict { border-left: .4rem solid; padding: .5rem 1rem; margin: 1rem 0; }
.well { border-color: var(--well); } .attention { border-color: var(--attention); } .broken { border-color: var(--broken); }
.early { border-color: var(--early); } .verdict strong { font-size: 1.15rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); }
td { overflow-wrap: anywhere; } th { color: var(--soft); font-weight: 600; white-space: nowrap; }
a { color: var(--blue); } svg { display: block; } svg .mark { fill: var(--blue); } svg .past { fill: var(--line); }
svg .stroke { fill: none; stroke: var(--blue); stroke-width: 1.5; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 1rem; }
.card { border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .8rem; }
.card b { font-size: 1.3rem; display: block; }
code { font-size: .85em; overflow-wrap: anywhere; }
"""

"""How the report's page looks: light and dark, wide and narrow, without anything from elsewhere."""

STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1c1e21; --soft: #5c6370; --line: #dfe2e7; --panel: #f5f6f8;
  --bad: #b3261e; --good: #1b6e3c; --wait: #8a5a00; --accent: #2f6fd0; }
@media (prefers-color-scheme: dark) {
  :root { --page: #15171a; --ink: #e6e8eb; --soft: #9aa1ab; --line: #31353b; --panel: #1f2226;
    --bad: #ff8a80; --good: #7bd49a; --wait: #f0b95a; --accent: #7aa9f0; }
}
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 76rem;
  margin: 0 auto; padding: 1.5rem 1rem 4rem; overflow-wrap: anywhere; }
h1 { margin: 0; line-height: 1.2; } h2 { margin: 3rem 0 .5rem; } h3 { margin: 2rem 0 .5rem; }
h4 { margin: 1.5rem 0 .25rem; } p { margin: .5rem 0; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .75rem 0; } a { color: var(--accent); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; min-width: min(100%, 28rem); font-size: .94rem; }
th, td { padding: .35rem .65rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
th:first-child, td:first-child { padding-left: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td { overflow-wrap: normal; } td code { display: inline-block; max-width: 26rem; overflow-wrap: break-word; }
small { display: block; color: var(--soft); } td:first-child { white-space: nowrap; }
td:first-child code { white-space: normal; } tfoot td { font-weight: 600; border-bottom: 0; }
td time { white-space: nowrap; } code { font-size: .9em; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .5rem; margin: .75rem 0; }
.facts div { background: var(--panel); border-radius: .4rem; padding: .5rem .75rem; }
.facts dt { color: var(--soft); font-size: .85rem; } .facts dd { margin: 0; font-size: 1.1rem; font-weight: 600; }
.state { font-weight: 600; color: var(--soft); } .succeeded { color: var(--good); } .running { color: var(--wait); }
.failed, .cancelled, .bad { color: var(--bad); font-weight: 600; }
.error { border-left: .25rem solid var(--bad); background: var(--panel); padding: .6rem 1rem; margin: .75rem 0; }
.bars { display: flex; height: 1rem; border-radius: .3rem; overflow: hidden; background: var(--line);
  margin: .75rem 0 .25rem; }
.bars span { min-width: 2px; } .swatch { display: inline-block; width: .7em; height: .7em; border-radius: 2px;
  margin-right: .5em; }
.meter { display: block; width: 6rem; height: .3rem; margin: .2rem 0 .1rem auto; background: var(--line);
  border-radius: .2rem; overflow: hidden; }
.meter i { display: block; height: 100%; min-width: 1px; background: var(--accent); }
summary { cursor: pointer; font-weight: 600; margin: 1rem 0 .25rem; }
"""

STAGE_COLOURS = {
    "export": "#5c6bc0",
    "copy": "#26a69a",
    "prepare": "#8d6e63",
    "assess": "#ffa726",
    "load": "#42a5f5",
    "replay": "#ab47bc",
    "verify": "#66bb6a",
    "report": "#9e9e9e",
}
"""No state is told by these alone: the stages are listed beside their bars."""

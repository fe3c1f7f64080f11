"""The look of the HTML report: one style sheet for light and dark, for wide screens, phones and paper."""

CSS = """
:root {
  color-scheme: light dark;
  --page: #f6f7f5; --card: #ffffff; --ink: #17211f; --soft: #5d6b68; --faint: #8b9794; --rule: #e2e7e4;
  --water: #0a6c8f; --wash: #0a6c8f1f; --deep: #0f3d4c;
  --buy: #00806a; --sell: #c8461b; --loss: #c0392b; --lossWash: #c0392b24; --bar: #0a6c8f; --barSoft: #8fc1d3;
  --band: #0a6c8f14; --shadow: 0 1px 2px #0f3d4c14, 0 4px 14px #0f3d4c0d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1416; --card: #151d20; --ink: #e4ebe9; --soft: #9dacaa; --faint: #71807e; --rule: #263135;
    --water: #5fc3e4; --wash: #5fc3e424; --deep: #bfe6f3;
    --buy: #3fd0ae; --sell: #ff8f66; --loss: #ff7b6b; --lossWash: #ff7b6b2b; --bar: #4fb3d6; --barSoft: #2b5f73;
    --band: #5fc3e41f; --shadow: none;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 48px; }
header { display: flex; flex-wrap: wrap; gap: 6px 20px; align-items: center; margin-bottom: 20px; }
header svg { width: 40px; height: 40px; flex: none; }
header h1 { font-size: 24px; line-height: 1.2; margin: 0; letter-spacing: -0.01em; }
header .when { color: var(--soft); flex-basis: 100%; overflow-wrap: anywhere; }
header .tag {
  margin-left: auto; font-size: 12px; letter-spacing: .06em; text-transform: uppercase; padding: 3px 10px;
  border: 1px solid var(--water); color: var(--water); border-radius: 99px;
}
h2 { font-size: 17px; margin: 0; letter-spacing: -0.005em; }
h3 { font-size: 14px; margin: 18px 0 4px; }
h3 small { font-weight: 400; margin-left: 4px; }
.hint { color: var(--soft); font-size: 13px; margin: 2px 0 12px; }
section {
  background: var(--card); border: 1px solid var(--rule); border-radius: 12px; padding: 18px 20px; margin: 16px 0;
  box-shadow: var(--shadow); min-width: 0;
}
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 16px; }
.pair section { margin: 0; }
.pair + section, .pair + .pair, section + .pair { margin-top: 16px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(136px, 1fr)); gap: 12px; margin: 16px 0; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; padding: 14px 16px;
  box-shadow: var(--shadow); }
.card .what { color: var(--soft); font-size: 12.5px; }
.card .figure { font-size: 22px; font-weight: 650; letter-spacing: -0.02em; line-height: 1.3; white-space: nowrap; }
.card .figure.long { font-size: 17px; line-height: 1.68; }
.card .figure small { font-size: 13px; font-weight: 500; color: var(--soft); letter-spacing: 0; }
.card .more { color: var(--soft); font-size: 12.5px; }
.gain { color: var(--buy); } .fall { color: var(--loss); }
.chart { display: grid; grid-template-columns: 76px minmax(0, 1fr); margin: 6px 0 2px; }
.values { position: relative; height: var(--height); font-size: 11.5px; color: var(--soft); }
.values span { position: absolute; right: 10px; transform: translateY(-50%); white-space: nowrap; }
.plot { position: relative; height: var(--height); border-bottom: 1px solid var(--rule); }
.plot svg { display: block; width: 100%; height: 100%; overflow: visible; }
.times { grid-column: 2; position: relative; height: 22px; font-size: 11.5px; color: var(--soft); }
.times span { position: absolute; top: 4px; transform: translateX(-50%); white-space: nowrap; }
.grid { stroke: var(--rule); fill: none; stroke-width: 1; vector-effect: non-scaling-stroke; }
.line { fill: none; stroke: var(--water); stroke-width: 1.6; stroke-linejoin: round;
  vector-effect: non-scaling-stroke; }
.line.price { stroke: var(--soft); stroke-width: 1.25; }
.line.fallen { stroke: var(--loss); stroke-width: 1.25; }
.line.held { stroke: var(--water); stroke-width: 1.25; }
.area { fill: var(--wash); } .area.fallen { fill: var(--lossWash); }
.band { fill: transparent; } .band:hover { fill: var(--band); }
.plot i { position: absolute; width: 11px; height: 10px; }
.buy { background: var(--buy); clip-path: polygon(50% 0, 100% 100%, 0 100%); transform: translate(-50%, 10%); }
.sell { background: var(--sell); clip-path: polygon(0 0, 100% 0, 50% 100%); transform: translate(-50%, -110%); }
.dense i { width: 7px; height: 7px; opacity: .85; }
.plot i:hover { filter: brightness(1.25); width: 15px; height: 14px; opacity: 1; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 12.5px; color: var(--soft); margin: 2px 0 0 76px; }
.legend i { display: inline-block; width: 11px; height: 10px; margin-right: 6px; transform: none; }
.bars { display: grid; gap: 9px; margin-top: 12px; }
.bar { display: grid; grid-template-columns: minmax(96px, 30%) minmax(0, 1fr) 84px; gap: 0 12px;
  align-items: center; font-size: 13.5px; }
.bar .name { overflow-wrap: anywhere; }
.bar .track { background: var(--rule); border-radius: 4px; height: 12px; overflow: hidden; }
.bar .track span { display: block; height: 100%; min-width: 2px; background: var(--bar); border-radius: 4px; }
.bar .amount { text-align: right; white-space: nowrap; }
.bar .note { grid-column: 1 / -1; color: var(--soft); font-size: 12px; overflow-wrap: anywhere; }
.bar.tight { margin-bottom: -6px; } .bar.soft .track span { background: var(--barSoft); }
.bar.veto .track span { background: var(--sell); }
.scroll { overflow-x: auto; margin: 8px -20px -6px; padding: 0 20px 6px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th { text-align: right; font-weight: 600; color: var(--soft); font-size: 12px; white-space: nowrap; }
td { text-align: right; white-space: nowrap; }
th, td { padding: 6px 10px; border-bottom: 1px solid var(--rule); }
tbody tr:last-child td { border-bottom: 0; }
th:first-child, td:first-child { padding-left: 0; } th:last-child, td:last-child { padding-right: 0; }
.left { text-align: left; } .wrap { white-space: normal; min-width: 180px; }
tbody tr:hover td { background: var(--band); }
.side-buy { color: var(--buy); font-weight: 600; } .side-sell { color: var(--sell); font-weight: 600; }
dl { display: grid; grid-template-columns: minmax(120px, max-content) minmax(0, 1fr); gap: 4px 18px; margin: 10px 0 0;
  font-size: 13.5px; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
code { font: 12.5px/1.5 ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace;
  overflow-wrap: anywhere; }
.nothing { color: var(--soft); font-size: 13.5px; margin: 10px 0 2px; }
footer { color: var(--faint); font-size: 12.5px; margin-top: 20px; }
@media (max-width: 640px) {
  main { padding: 18px 12px 32px; }
  section { padding: 14px; border-radius: 10px; }
  header { gap: 6px 12px; } header h1 { font-size: 20px; } header svg { width: 34px; height: 34px; }
  .scroll { margin: 8px -14px -6px; padding: 0 14px 6px; }
  .cards { grid-template-columns: 1fr 1fr; gap: 10px; }
  .card { padding: 11px 12px; } .card .figure { font-size: 18px; }
  .chart { grid-template-columns: 62px minmax(0, 1fr); } .values, .times { font-size: 10.5px; }
  .values span { right: 6px; } .legend { margin-left: 62px; }
  .times .minor { display: none; }
  .plot i { width: 8px; height: 7px; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 8px; }
}
@media print {
  :root { --page: #fff; --shadow: none; }
  section, .card { break-inside: avoid; }
}
"""

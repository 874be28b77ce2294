/**
 * The colours of pictures, for light and dark grounds, and how the parts of a diagram look.
 *
 * Rule 1: text meets a contrast of 4.5:1 on its ground, in both. Colour is never the only sign: a
 * lost message has scissors, a fault its name, a generation its number.
 * @module
 */

const light = `
  --ground: #fbfbf9; --card: #ffffff; --raised: #f2f3ef; --ink: #1c1f23; --soft: #565c64;
  --faint: #8b9199; --line: #d9dbd6; --mark: #1d5fa8; --wash: #1d5fa81f; --good: #17693a;
  --bad: #a5231c; --wrong: #a5231c; --onwrong: #ffffff; --loss: #b0301f; --delay: #7a5200;
  --process: #6b3fa8; --clock: #1d5fa8; --disk: #0d6868; --heal: #17693a;
  --g1: #47525e; --g2: #0b6bcb; --g3: #a3489b;
  --g4: #0f7b6c; --g5: #a55a00; --g6: #6a5acd; --veil: 12%; --added: #17693a; --removed: #a5231c;`;
const dark = `
  --ground: #14171a; --card: #1b1f23; --raised: #23282d; --ink: #e8eaed; --soft: #a9b1b9;
  --faint: #79828b; --line: #353b41; --mark: #7fb6f5; --wash: #7fb6f52b; --good: #6fd39a;
  --bad: #ff9a90; --wrong: #b3342a; --onwrong: #ffffff; --loss: #ff8f7d; --delay: #f0c060;
  --process: #c3a3f7; --clock: #7fb6f5; --disk: #6cd0cb; --heal: #6fd39a;
  --g1: #a9b4c0; --g2: #6db3ff; --g3: #e79be0;
  --g4: #5fd3bf; --g5: #f2b05e; --g6: #b4a8ff; --veil: 16%; --added: #6fd39a; --removed: #ff9a90;`;

/** Custom properties; a reader that forces one scheme gets that one. */
export const colours = `
:root { color-scheme: light dark; ${light} }
@media (prefers-color-scheme: dark) { :root { ${dark} } }
@media print { :root { color-scheme: light; ${light} } }`;

/** The parts of a diagram. */
export const drawing = `
.pic { font: 12px/1.3 ui-sans-serif, system-ui, sans-serif; font-variant-numeric: tabular-nums; }
.pic text { fill: var(--ink); stroke: none; }
.pic .halo { paint-order: stroke; stroke: var(--ground); stroke-width: 4px;
  stroke-linejoin: round; }
.pic .lane { stroke: var(--line); stroke-width: 1.5; }
.pic .time { fill: var(--soft); font-size: 11px; text-anchor: end; }
.pic .tick { stroke: var(--line); stroke-width: 1; }
.pic .name rect { fill: var(--card); stroke: var(--line); }
.pic .name.dir rect { stroke: var(--mark); stroke-width: 1.5; }
.pic .name text { text-anchor: middle; font-weight: 650; font-size: 13px; }
.pic .name .kind { fill: var(--soft); font-weight: 400; font-size: 10.5px; }
.pic .dot { fill: var(--ground); stroke: var(--soft); stroke-width: 1.5; }
.pic .says { fill: var(--soft); font-size: 11px; }
.pic .bar { stroke-width: 5; stroke-linecap: round; opacity: .5; }
.pic .cap { stroke-width: 2; }
.pic .gen { font-size: 10px; font-weight: 650; text-anchor: middle; }
.pic .msg .way { stroke-width: 1.6; }
.pic .msg .grip { stroke: transparent; stroke-width: 12; }
.pic .msg text { font-size: 11.5px; text-anchor: middle; }
.pic .msg.far .way { stroke-dasharray: 2 4; }
.pic .msg.lost .way { stroke: var(--loss); stroke-dasharray: 5 3; }
.pic .msg.lost text { fill: var(--loss); font-weight: 650; }
.pic .msg .cut { font-size: 17px; }
.pic .band rect { fill-opacity: var(--veil); stroke-opacity: .65; stroke-dasharray: 3 3; }
.pic .band text { font-size: 11px; font-weight: 650; text-anchor: middle; }
.pic .fold path { fill: var(--ground); stroke: var(--line); stroke-width: 1; }
.pic .fold text { fill: var(--soft); font-size: 11.5px; text-anchor: middle; }
.pic .fold.again text { fill: var(--mark); }
.pic .note line { stroke: var(--faint); stroke-dasharray: 1 4; }
.pic .note text { font-size: 11.5px; }
.pic .note.goal text { fill: var(--good); }
.pic .note.heal text { fill: var(--heal); font-weight: 650; }
.pic .note.heal line { stroke: var(--heal); stroke-width: 2; stroke-dasharray: none; }
.pic .note.task text, .pic .note.mark text { fill: var(--soft); }
.pic .wrong rect { fill: var(--wrong); }
.pic .wrong text { fill: var(--onwrong); font-weight: 650; font-size: 12.5px; }
.pic .wrong .more { font-weight: 400; }
.pic .head { font-size: 17px; font-weight: 700; }
.pic .sub { fill: var(--soft); }
.pic .paper { fill: var(--ground); }
${["loss", "delay", "process", "clock", "disk", "heal"].map((family) => `
.pic .${family} rect { fill: var(--${family}); stroke: var(--${family}); }
.pic .${family} text { fill: var(--${family}); }`).join("")}
${[1, 2, 3, 4, 5, 6].map((g) => `
.pic .g${g} .way, .pic line.g${g} { stroke: var(--g${g}); }
.pic .g${g} .tip, .pic .tip.g${g} { fill: var(--g${g}); }
.pic .gen.g${g} { fill: var(--g${g}); }`).join("")}
`;

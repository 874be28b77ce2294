/**
 * The style of the status page. Colours meet a contrast of 4.5:1 on both grounds.
 * @module
 */

/** Inlined as it is: its hash stands in the page's policy. */
export const style = `
:root { color-scheme: light dark; --ground: #fbfbf9; --card: #ffffff; --ink: #1c1f23;
  --soft: #565c64; --line: #d9dbd6; --good: #17693a; --bad: #a5231c; --wait: #7a5200;
  --mark: #1d5fa8; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171a; --card: #1d2125; --ink: #e8eaed;
  --soft: #a3abb3; --line: #353b41; --good: #6fd39a; --bad: #ff9a90; --wait: #f0c060;
  --mark: #7fb6f5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--ground);
  color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1rem; margin: 0 0 .5rem; color: var(--soft); font-weight: 600; }
header p { margin: .25rem 0; }
#who { color: var(--soft); overflow-wrap: anywhere; }
#reasons { color: var(--bad); margin: .25rem 0; }
#reasons:empty { display: none; }
.badge { border: 2px solid currentColor; border-radius: 1rem; padding: .1rem .75rem;
  color: var(--wait); }
.badge.good { color: var(--good); }
.badge.bad { color: var(--bad); }
button { font: inherit; padding: .15rem .75rem; border: 1px solid var(--line); border-radius: .4rem;
  background: var(--card); color: var(--ink); cursor: pointer; }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
a { color: var(--mark); }
/* Four cards: two by two, or one below the other; never three and one. */
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr));
  gap: 1rem; margin-top: 1rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: 1rem; min-width: 0; }
.wide { grid-column: 1 / -1; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); gap: .5rem;
  margin: 0; }
/* Figures stand on one line, however many lines their names take. */
.cards div { min-width: 0; display: flex; flex-direction: column;
  justify-content: space-between; }
dt { color: var(--soft); font-size: .875rem; }
dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.big { font-size: 1.75rem; font-variant-numeric: tabular-nums; }
section p { margin: 0 0 .5rem; }
section > p:last-child, section > div > p:last-child { margin-bottom: 0; }
svg { display: block; width: 100%; height: 3rem; border-bottom: 1px solid var(--line);
  margin-bottom: .5rem; }
polyline { fill: none; stroke: var(--mark); stroke-width: 2; vector-effect: non-scaling-stroke; }
.tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 1rem; }
table { border-collapse: collapse; width: 100%; align-self: start; }
caption { text-align: left; color: var(--soft); font-size: .875rem; padding-bottom: .25rem; }
th, td { border-top: 1px solid var(--line); padding: .2rem 0; text-align: left; font-weight: 400; }
td { text-align: right; font-variant-numeric: tabular-nums; }
td.none { text-align: left; color: var(--soft); }
#recent { margin: 0; padding-left: 1.2rem; overflow-wrap: anywhere; }
footer { color: var(--soft); margin-top: 1rem; }
`;

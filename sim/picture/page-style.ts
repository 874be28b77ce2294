/**
 * How the page around a diagram looks: on paper, on a telephone, on a wide screen.
 * @module
 */

const base = `
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { height: 100%; }
body { margin: 0; min-height: 100%; background: var(--ground); color: var(--ink);
  font: 15px/1.5 ui-sans-serif, system-ui, sans-serif; font-variant-numeric: tabular-nums; }
h1 { font-size: 1.1rem; line-height: 1.3; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: .8rem; margin: 0 0 .35rem; color: var(--soft); font-weight: 650; }
p { margin: 0; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; border-radius: 4px; }
button, select, input { font: inherit; color: inherit; }
button, select, .box { background: var(--card); border: 1px solid var(--line);
  border-radius: .45rem; padding: .1rem .6rem; min-height: 2rem; font-size: .92rem; }
button { cursor: pointer; }
button:hover:not(:disabled) { border-color: var(--mark); }
button:disabled { color: var(--faint); cursor: default; }
button[aria-pressed="true"], [role="radio"][aria-checked="true"] { border-color: var(--mark);
  box-shadow: inset 0 0 0 1px var(--mark); }
code, .mono { font: .86em/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; }
kbd { font: .8em ui-monospace, monospace; border: 1px solid var(--line); border-bottom-width: 2px;
  border-radius: .3rem; padding: 0 .3rem; background: var(--card); }`;

const frame = `
#app { display: grid; grid-template: auto 1fr auto / minmax(0, 1fr); min-height: 100vh; }
header { padding: .6rem 1rem .55rem; border-bottom: 1px solid var(--line);
  background: var(--card); }
header .wrong { color: var(--bad); }
header .right { color: var(--good); }
.about { color: var(--soft); font-size: .87rem; overflow-wrap: anywhere; }
.tools { display: flex; flex-wrap: wrap; gap: .4rem .5rem; margin-top: .4rem; align-items: center; }
.tools button { max-width: 100%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.group { display: flex; flex-wrap: wrap; gap: .25rem; }
.faults { display: flex; flex-wrap: wrap; gap: .3rem; list-style: none; margin: .4rem 0 0;
  padding: 0; max-height: 5.8rem; overflow: auto; }
.faults button { text-align: left; font-size: .85rem; padding: .05rem .55rem; min-height: 1.7rem;
  border-left: 5px solid var(--tone); }
.faults .loss { --tone: var(--loss); } .faults .delay { --tone: var(--delay); }
.faults .process { --tone: var(--process); } .faults .clock { --tone: var(--clock); }
.faults .disk { --tone: var(--disk); } .faults .heal { --tone: var(--heal); }
details.more { font-size: .9rem; position: relative; }
details.more summary { cursor: pointer; border: 1px solid var(--line); border-radius: .45rem;
  padding: .2rem .6rem; min-height: 2rem; }
details.more[open] > div { position: absolute; z-index: 5; top: calc(100% + .3rem); left: 0;
  width: min(36rem, 88vw); background: var(--card); border: 1px solid var(--line);
  border-radius: .6rem; padding: .6rem .8rem; box-shadow: 0 6px 24px #0003; }
details.more code { user-select: all; overflow-wrap: anywhere; }
details.more ul { margin: .2rem 0; padding-left: 1.2rem; }
main { display: grid; grid-template-columns: minmax(0, 1fr) 27rem; min-height: 0; }
.panels { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); min-height: 0; }
.panel { display: grid; grid-template-rows: auto 1fr; min-width: 0; min-height: 0;
  border-right: 1px solid var(--line); }
.panel > h2 { padding: .45rem .8rem 0; display: flex; gap: .6rem; align-items: baseline;
  flex-wrap: wrap; margin: 0; }
.panel > h2 b { color: var(--ink); }
.panel.active > h2 b { color: var(--mark); }
.scroll { overflow: auto; min-height: 0; position: relative; scrollbar-gutter: stable; }
.scroll svg { display: block; }
.scroll .names { position: sticky; top: 0; background: var(--ground); z-index: 1; }
.beyond { display: flex; gap: .5rem; padding: .4rem .8rem; color: var(--soft); font-size: .87rem;
  position: sticky; left: 0; align-items: center; flex-wrap: wrap; }
.left-out { padding: .3rem .8rem 1rem; color: var(--soft); font-size: .82rem; position: sticky;
  left: 0; max-width: 60rem; }
.pic [data-step] { cursor: pointer; }
.pic .on .way { stroke-width: 3; } .pic .on .dot { stroke: var(--mark); stroke-width: 3; r: 6px; }
.pic .on text { font-weight: 700; }
.pic .cursor { fill: var(--wash); stroke: var(--mark); stroke-width: 1; }
.pic .parting line { stroke: var(--process); stroke-width: 2; stroke-dasharray: 8 4; }
.pic .parting text { fill: var(--process); font-weight: 650; }`;

const side = `
aside { overflow: auto; padding: .8rem; display: grid; gap: .9rem; align-content: start;
  min-height: 0; background: var(--card); }
aside section { min-width: 0; }
.event { border: 1px solid var(--line); border-radius: .6rem; padding: .6rem .75rem;
  background: var(--ground); }
.event .when { color: var(--soft); font-size: .87rem; }
.event .says { font-weight: 650; overflow-wrap: anywhere; }
.event .flag { font-weight: 650; } .event .flag.violation { color: var(--bad); }
.event .flag.goal, .event .flag.heal { color: var(--good); }
.effects { margin: .2rem 0 0; padding-left: 1.4rem; max-height: 9rem; overflow: auto; }
.none { color: var(--soft); }
.row { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; margin-bottom: .45rem; }
.row label { display: flex; gap: .35rem; align-items: center; }
.changes, .tree { max-height: 24rem; overflow: auto; margin: 0; padding: .35rem .5rem;
  border: 1px solid var(--line); border-radius: .45rem; background: var(--ground);
  list-style: none; }
.changes li { overflow-wrap: anywhere; border-bottom: 1px solid var(--line); padding: .12rem 0; }
.changes li:last-child { border-bottom: 0; }
.changes .path, .tree .path { color: var(--soft); }
.changes del { color: var(--removed); text-decoration: none; }
.changes ins { color: var(--added); text-decoration: none; font-weight: 650; }
.changes del::before { content: "− "; } .changes ins::before { content: "+ "; }
.tree { padding-left: .4rem; }
.tree details { padding-left: 1.1rem; border-left: 1px solid transparent; }
.tree details details { border-left-color: var(--line); }
.tree summary { cursor: pointer; margin-left: -1.1rem; overflow-wrap: anywhere; }
.tree .leaf { overflow-wrap: anywhere; } .tree > .leaf { padding-left: 1.1rem; }
.tree .changed { background: var(--wash); border-radius: 3px; }
.events { max-height: 19rem; overflow: auto; border: 1px solid var(--line); border-radius: .45rem;
  background: var(--ground); font-size: .87rem; }
.events [role="option"] { padding: .08rem .5rem; cursor: pointer; white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis; border-left: 3px solid transparent; }
.events [role="option"]:hover { background: var(--raised); }
.events [aria-selected="true"] { background: var(--wash); border-left-color: var(--mark);
  font-weight: 650; }
.events .hit { border-left-color: var(--delay); }
.events .t { color: var(--soft); margin-right: .5rem; font-weight: 400; }
.lanes { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr));
  gap: .1rem .6rem; max-height: 12rem; overflow: auto; margin-top: .3rem; }
.lanes label { display: flex; gap: .4rem; align-items: center; }`;

const foot = `
footer { position: sticky; bottom: 0; z-index: 2; background: var(--card);
  border-top: 1px solid var(--line); padding: .5rem .8rem .6rem; }
.strip { display: block; width: calc(100% - 16px); height: 26px; margin: 0 8px; }
.strip .density { fill: var(--faint); opacity: .45; }
.strip .band { fill-opacity: .35; }
.strip .loss { fill: var(--loss); } .strip .delay { fill: var(--delay); }
.strip .process { fill: var(--process); } .strip .clock { fill: var(--clock); }
.strip .disk { fill: var(--disk); } .strip .heal { fill: var(--heal); }
.strip .goal { fill: var(--good); } .strip .violation { fill: var(--bad); }
.strip .task, .strip .mark { fill: var(--soft); }
.strip .seen { fill: var(--mark); opacity: .16; } .strip .now { fill: var(--mark); }
#scrub { width: 100%; margin: 0; accent-color: var(--mark); height: 1.4rem; display: block; }
.transport { display: flex; flex-wrap: wrap; gap: .35rem; align-items: center; }
.transport .place { flex: 1 1 12rem; color: var(--soft); font-size: .9rem; min-width: 0;
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.transport .place b { color: var(--ink); }
.transport input[type="search"] { width: 12rem; }
dialog { border: 1px solid var(--line); border-radius: .7rem; background: var(--card);
  color: var(--ink); max-width: 34rem; padding: 1rem 1.2rem; }
dialog::backdrop { background: #0007; }
dialog dl { display: grid; grid-template-columns: auto 1fr; gap: .3rem .9rem; margin: .6rem 0; }
dialog dd { margin: 0; }
noscript { display: block; padding: 1rem; overflow: auto; }
@media (min-width: 64rem) { #app { height: 100vh; overflow: hidden; }
}
@media (max-width: 63.99rem) {
  main { grid-template-columns: minmax(0, 1fr); }
  .panels { grid-auto-flow: row; grid-auto-columns: auto; }
  .panel { border-right: 0; border-bottom: 1px solid var(--line); }
  .scroll { max-height: 62vh; }
  .transport input[type="search"] { width: 8rem; } }
@media (max-width: 40rem) { .transport .place { flex-basis: 100%; order: -1; }
  .transport input[type="search"] { width: 5.5rem; }
  header { padding: .6rem .7rem; } h1 { font-size: 1rem; }
  .faults { flex-wrap: nowrap; } .faults li { flex: none; } .about { font-size: .8rem; } }
@media (prefers-reduced-motion: no-preference) { .pic .cursor { transition: y .12s ease-out; } }
@media print { #app { display: block; } main, .panels, .panel { display: block; }
  aside, footer, .tools, .beyond button, dialog { display: none; }
  .scroll { overflow: visible; max-height: none; } .scroll .names { position: static; }
  .pic .cursor { display: none; } }`;

/** Follows the colours and the parts of a diagram (`style.ts`). */
export const pageStyle = `${base}${frame}${side}${foot}\n`;

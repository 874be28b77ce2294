/**
 * The dashboard as one page: tiles, charts, findings, runs. No script, no network.
 * @module
 */
import { countText, plural } from "../../sim/words.ts";
import { chart, type Chart, escaped } from "./dashboard-charts.ts";
import type { Day, History, Point, Seen } from "./dashboard-data.ts";
import { shortCount } from "./progress.ts";

const yearMs = 31_557_600_000;
const findingsMax = 100;
const daysMax = 60;

/** The whole document. */
export function pageOf(h: History): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>Dogwatch simulator: campaigns</title>
<style>${style}</style>
</head>
<body>
<header><h1>Simulator campaigns</h1><p>${escaped(asOf(h))}</p></header>
<main>
<section class="tiles" aria-label="Totals">${tiles(h)}</section>
<section class="charts" aria-label="Over time">${chartsOf(h).map(chart).join("\n")}</section>
${findings(h.found)}
${goalsText(h)}
${profiles(h)}
${nights(h.days)}
</main>
</body>
</html>
`;
}

function asOf(h: History): string {
  const odd = h.odd === 0 ? "" : `; ${plural(h.odd, "line")} could not be read`;
  const machine = h.machine === "" ? "" : `; speed measured on ${h.machine}`;
  return `as of ${h.newest}, ${plural(h.days.length, "day")}${machine}${odd}`;
}

function tiles(h: History): string {
  const seeds = h.days.reduce((sum, day) => sum + day.seeds, 0);
  const years = h.days.reduce((sum, day) => sum + day.virtualMs, 0) / yearMs;
  const open = h.found.filter((one) => one.lastDay === h.days.at(-1)?.day).length;
  const mutants = h.mutants.at(-1);
  const { determinism, canary } = h;
  const flakes = h.days.at(-1)?.flakes ?? 0;
  const goals = h.missing.length + h.reached;
  return [
    tile("seeds", countText(seeds), ""),
    tile("virtual years", years < 10 ? years.toFixed(1) : countText(Math.round(years)), ""),
    tile("findings last night", String(open), open === 0 ? "good" : "bad"),
    tile("goals reached", `${h.reached} of ${goals}`, h.missing.length === 0 ? "good" : "bad"),
    tile("mutants killed",
      mutants === undefined ? "not run" : `${mutants.killed} of ${mutants.all}`,
      mutants === undefined ? "" : mutants.killed === mutants.all ? "good" : "bad"),
    tile("determinism", determinism === undefined ? "not run"
      : `${determinism.same} of ${determinism.all}`,
      determinism === undefined ? "" : determinism.same === determinism.all ? "good" : "bad"),
    tile("canary", canary === undefined ? "not run" : canary.isFound ? "found" : "NOT FOUND",
      canary === undefined ? "" : canary.isFound ? "good" : "bad",
      canary === undefined ? "" : canary.day),
    tile("flakes last night", String(flakes), flakes === 0 ? "good" : "bad"),
  ].join("");
}

function tile(name: string, value: string, mood: "good" | "bad" | "", note = ""): string {
  const mark = mood === "" ? "" : `<i aria-hidden="true">${mood === "good" ? "✓" : "✗"}</i> `;
  const more = note === "" ? "" : `<small>${escaped(note)}</small>`;
  return `<div class="tile ${mood}"><b>${mark}${escaped(value)}</b><span>${escaped(name)}</span>${
    more}</div>`;
}

function chartsOf(h: History): Chart[] {
  const of = (value: (day: Day) => number): Point[] =>
    h.days.slice(-daysMax).map((day) => ({ day: day.day, value: value(day) }));
  return [
    { title: "Seeds", about: "a night", points: of((day) => day.seeds), kind: "bars",
      text: shortCount },
    { title: "Virtual time", about: "years a night", points: of((day) => day.virtualMs / yearMs),
      kind: "bars", text: (value) => value.toFixed(value < 10 ? 2 : 0) },
    { title: "New findings", about: "shapes seen for the first time", kind: "bars", text: String,
      points: of((day) => day.fresh) },
    { title: "Failing seeds", about: "of 1,000", kind: "line",
      points: of((day) => (day.failed * 1_000) / Math.max(1, day.seeds)),
      text: (value) => (value < 10 ? value.toFixed(2) : String(Math.round(value))) },
    { title: "Goals", about: "reached in a night", kind: "line", text: String,
      points: of((day) => day.goals.size) },
    { title: "Mutants", about: "killed", kind: "line", text: String,
      points: h.mutants.slice(-daysMax).map(({ day, killed }) => ({ day, value: killed })) },
    { title: "Median seeds to kill", about: "a mutant", kind: "line", text: String,
      points: h.mutants.slice(-daysMax).flatMap(({ day, median }) =>
        (median === null ? [] : [{ day, value: median }])) },
    { title: "Speed", about: "steps a second, one process", points: h.speed.slice(-daysMax),
      kind: "line", text: shortCount },
    { title: "Seeds an hour", about: "std20, all processes", points: h.seedsPerHour.slice(-daysMax),
      kind: "line", text: shortCount },
  ];
}

function findings(found: readonly Seen[]): string {
  if (found.length === 0) return section("Findings", "<p>Nothing was found.</p>");
  const rows = found.slice(0, findingsMax).map((one) => `<tr><td><b>${escaped(one.id)}</b></td>
<td>${escaped(one.says)}<br><code>${escaped(one.command)}</code></td>
<td>${escaped(one.verdict)}</td><td class="number">${countText(one.seeds)}</td>
<td>${one.firstDay}</td><td>${one.lastDay}</td><td>${escaped(one.code)}</td></tr>`);
  const more = found.length - rows.length;
  const rest = more > 0 ? `<p>and ${more} more</p>` : "";
  return section("Findings", `<div class="wide"><table><thead><tr><th>rule</th>
<th>what was seen, and how to see it again</th><th>class</th><th class="number">seeds</th>
<th>first</th><th>last</th><th>code</th></tr></thead><tbody>${
    rows.join("\n")}</tbody></table></div>${rest}`);
}

function goalsText(h: History): string {
  const lists = [
    ...h.missing.map((name) => `<li>not reached: ${escaped(name)}</li>`),
    ...h.survivors.map((id) => `<li>the simulator cannot see: ${escaped(id)}</li>`),
  ];
  return lists.length === 0 ? "" : section("Blind spots", `<ul>${lists.join("")}</ul>`);
}

function profiles({ profiles: all }: History): string {
  if (all.length === 0) return "";
  const rows = all.map(({ profile, seeds, failed }) => `<tr><td>${escaped(profile)}</td>
<td class="number">${countText(seeds)}</td><td class="number">${countText(failed)}</td></tr>`);
  return section("Profiles", `<div class="wide"><table><thead><tr><th>profile</th>
<th class="number">seeds</th><th class="number">failed</th></tr></thead><tbody>${
    rows.join("\n")}</tbody></table></div>`);
}

function nights(days: readonly Day[]): string {
  const rows = days.slice(-daysMax).reverse().map((day) => {
    const rate = (day.seeds * 60_000) / Math.max(1, day.wallMs);
    return `<tr><td>${day.day}</td><td>${escaped([...day.codes].join(", "))}</td>
<td class="number">${countText(day.seeds)}</td>
<td class="number">${(day.virtualMs / yearMs).toFixed(2)}</td>
<td class="number">${countText(Math.round(rate))}</td><td class="number">${day.goals.size}</td>
<td class="number">${countText(day.failed)}</td><td class="number">${day.fresh}</td>
<td class="number">${day.flakes}</td></tr>`;
  });
  return section("Nights", `<div class="wide"><table><thead><tr><th>day</th><th>code</th>
<th class="number">seeds</th><th class="number">virtual years</th><th class="number">seeds/min</th>
<th class="number">goals</th><th class="number">failed</th><th class="number">new</th>
<th class="number">flakes</th></tr></thead><tbody>${rows.join("\n")}</tbody></table></div>`);
}

function section(title: string, body: string): string {
  return `<section><h2>${title}</h2>${body}</section>`;
}


const style = `
:root{--paper:#fcfcfb;--card:#fff;--ink:#1c1c1a;--soft:#5c5b57;--rule:#e3e2de;--mark:#2a78d6;
--good:#0a7a2f;--bad:#c0272d;color-scheme:light dark}
@media(prefers-color-scheme:dark){:root{--paper:#161615;--card:#1f1f1d;--ink:#f0efeb;--soft:#a9a8a2;
--rule:#3a3936;--mark:#4a94ea;--good:#4cc272;--bad:#f0696d}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.45 system-ui,sans-serif}
header,main{max-width:1180px;margin:0 auto;padding:0 20px}
header{padding-top:24px}h1{font-size:22px;margin:0}header p{margin:2px 0 0;color:var(--soft)}
h2{font-size:17px;margin:32px 0 8px}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(124px,1fr));gap:10px;
margin-top:18px}
.tile{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:10px 12px}
.tile b{display:block;font-size:20px;font-weight:600;white-space:nowrap}
.tile span,.tile small{display:block;color:var(--soft);font-size:13px}
.tile i{font-style:normal}.tile.good i{color:var(--good)}.tile.bad i{color:var(--bad)}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));gap:10px;
margin-top:10px}
figure{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:8px;
padding:10px 12px}
figcaption{font-size:14px}figcaption span{color:var(--soft);font-size:13px}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{fill:var(--ink);font:12px system-ui,sans-serif}svg .day{fill:var(--soft);font-size:11px}
svg .end{text-anchor:end}svg .base{stroke:var(--rule)}svg .bar{fill:var(--mark)}
svg .line{fill:none;stroke:var(--mark);stroke-width:2;stroke-linejoin:round}
svg .dot{fill:var(--mark)}svg .dot.last{stroke:var(--card);stroke-width:2}
svg .hit{fill:transparent}svg g:hover .bar,svg g:hover .dot{fill:var(--ink)}
.none{color:var(--soft);margin:28px 0}
.wide{overflow-x:auto;border:1px solid var(--rule);border-radius:8px;background:var(--card)}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{text-align:left;padding:6px 12px;border-bottom:1px solid var(--rule);vertical-align:top}
tbody tr:last-child td{border-bottom:0}th{font-weight:600;color:var(--soft);white-space:nowrap}
td:not(:nth-child(2)){white-space:nowrap}
.number{text-align:right;font-variant-numeric:tabular-nums}
code{font:12.5px ui-monospace,monospace;color:var(--soft);overflow-wrap:anywhere}
ul{padding-left:20px;margin:0}main{padding-bottom:48px}
`;

import assert from "node:assert/strict";
import test from "node:test";
import { svgOf } from "../../../sim/picture/drawing.ts";
import { mermaidOf } from "../../../sim/picture/mermaid.ts";
import { cutText, escaped, fitted, gapText, wrapped } from "../../../sim/picture/words.ts";
import type { Recording } from "../../../sim/recording.ts";
import { all, byClass, parse, textOf } from "../../support/markup.ts";
import * as make from "../../support/recording.ts";

const { recording } = make.lostWelcome();

test("picture: svg: it is well-formed and shows faults, what was lost and what was found", () => {
  const root = parse(svgOf(recording));
  assert.equal(root.attributes.get("xmlns"), "http://www.w3.org/2000/svg");
  assert.equal(byClass(root, "lost").length, 2);
  assert.equal(byClass(root, "cut").filter((e) => e.text === "✂").length, 2);
  const [wrong] = byClass(root, "wrong");
  assert.match(textOf(wrong as never), /✗ L1 at maker1, 293:40.040/);
  const bands = byClass(root, "band").map(textOf).join(" ");
  assert.match(bands, /half-open maker1 ⇄ dir0 for 15m34s/);
  const folds = byClass(root, "fold").map(textOf).join(" ");
  assert.match(folds, /11 min, nothing happens/);
  assert.match(folds, /the same 15 times more, for 2 h 56 min/);
});

test("picture: svg: it names nothing outside itself and runs nothing", () => {
  const root = parse(svgOf(recording));
  for (const { name, attributes } of all(root)) {
    assert.notEqual(name, "script");
    for (const [key, value] of attributes) {
      if (key !== "xmlns") assert.doesNotMatch(value, /\/\/|^javascript|^data:/);
      assert.doesNotMatch(key, /^on|href/);
    }
  }
});

test("picture: svg: what a peer wrote stays text", () => {
  const evil = `"><script>alert(1)</script>&amp;\u0000\u0007<!--`;
  const says = (one: { readonly says: string }): object => ({ ...one, says: evil });
  const { scenario, outcome } = recording;
  const forged = {
    ...recording, scenario: {
      ...scenario, name: evil, nodes: scenario.nodes.map((node) => ({ ...node, id: evil })),
    },
    outcome: { ...outcome, finding: { ...outcome.finding, says: evil, node: evil } },
    steps: recording.steps.map(says), messages: recording.messages.map(says),
    bands: recording.bands.map(says), flags: recording.flags.map(says),
  } as Recording;
  const root = parse(svgOf(forged));
  assert.equal(all(root).some((e) => e.name === "script"), false);
  assert.match(mermaidOf(forged), /^sequenceDiagram\n/);
  assert.doesNotMatch(mermaidOf(forged).replaceAll("->>", ""), /[<>&#;"]/);
});

test("picture: svg: of a long run the part that matters is drawn, and the rest told", () => {
  const { recording: long } = make.smallTalk(3_000, 12);
  const text = svgOf(long);
  assert.ok(text.length < 200_000, `${text.length}`);
  assert.match(textOf(parse(text)), /Left out: [0-9,]+ later events; 6 nodes/);
});

test("picture: svg: a name too long for its box is cut there, and whole in the title", () => {
  const { scenario } = recording;
  const nick = "J5WMOQwmOOOOOOOOWWWW";
  const [first, ...others] = scenario.nodes;
  const nodes = [first, { ...others[0], id: nick }, ...others.slice(1)];
  const root = parse(svgOf({ ...recording, scenario: { ...scenario, nodes } } as Recording));
  const box = byClass(root, "name").find((one) => textOf(one).includes(nick));
  assert.ok(box !== undefined);
  const texts = all(box).map((one) => one.text);
  assert.ok(texts.includes(nick));
  const shown = texts.find((text) => text.endsWith("…")) ?? "";
  assert.ok(shown.length > 5 && shown.length < nick.length && nick.startsWith(shown.slice(0, -1)));
});

test("picture: words: a name fits by the width of its letters", () => {
  assert.equal(fitted("directory", 124), "directory");
  assert.equal(fitted("iiiiiiiiiiiiiiii", 124), "iiiiiiiiiiiiiiii");
  assert.equal(fitted("WWWWWWWWWWWW", 124), "WWWWWWW…");
  assert.equal(fitted("界界界界界界界界界界", 60), "界界界…");
  assert.equal(fitted("", 10), "");
  assert.equal(fitted("WW", 1), "W…");
});

test("picture: svg: an empty run is drawn too", () => {
  const none = { ...recording, steps: [], messages: [], lives: [], flags: [] };
  parse(svgOf(none));
  assert.match(mermaidOf(none), /sequenceDiagram/);
});

test("picture: mermaid: the last messages, faults, gaps and the violation", () => {
  const lines = mermaidOf(recording, { messagesMax: 3 }).split("\n");
  assert.equal(lines[0], "sequenceDiagram");
  assert.ok(lines.includes("  participant dir0"));
  assert.ok(lines.includes("  dir0->>maker1: 292:00 PING [connection 2]"));
  const again = "the same 15 times more, for 2 h 56 min";
  assert.ok(lines.includes(`  Note over maker1,taker1: … ${again} …`));
  assert.ok(lines.some((line) => line.startsWith("  Note over maker1,taker1: ✗ 293:40.040")));
  assert.ok(lines.some((line) => /[0-9]+ earlier messages left out/.test(line)));
  const whole = mermaidOf(recording, { messagesMax: 1_000 });
  assert.match(whole, /dir0--xmaker1: 72:32.022 DN_HANDSHAKE \[connection 2\] ✂ never read/);
  assert.match(whole, /Note over dir0,maker1: 71:58 slow maker1 ⇄ dir0 for 3m21s/);
  assert.match(whole, /maker1->>dir0: 72:12.022 HANDSHAKE \[connection 2\] \(20 s on its way\)/);
});

test("picture: words: gaps as one would say them, texts cut, wrapped and escaped", () => {
  assert.deepEqual([80, 450_000, 34_000_000, 660_000_000, 7_500_000_000].map(gapText), [
    "80 µs", "450 ms", "34 s", "11 min", "2 h 05 min",
  ]);
  assert.equal(cutText("abcdef", 4), "abc…");
  assert.equal(escaped(`<a b="c">&\u0001`), "&lt;a b=&quot;c&quot;&gt;&amp;·");
  assert.deepEqual(wrapped("one two three four five", 9, 2), ["one two", "three fo…"]);
  assert.deepEqual(wrapped("", 9, 2), []);
});

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import * as vm from "node:vm";
import { gunzipSync } from "node:zlib";
import esbuild from "esbuild";
import {
  draw, drawRecorded, drawTrace, MissingViewer, pageBytesMax, pageOf,
} from "../../../cli/sim/picture.ts";
import type { PageData } from "../../../sim/picture/page.ts";
import type { Scenario } from "../../../sim/scenario.ts";
import { recorded, script } from "../../support/field.ts";
import { parse } from "../../support/markup.ts";
import * as make from "../../support/recording.ts";

let folder = "";
let viewer = "";

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "dogwatch-picture-"));
  const built = await esbuild.build({
    entryPoints: ["cli/sim/viewer/main.ts"], bundle: true, minify: true, format: "iife",
    target: "es2023", write: false, metafile: true, logLevel: "error",
  });
  const foreign = Object.keys(built.metafile.inputs).filter((file) => {
    return !/^(core|sim|cli\/sim\/viewer)\//.test(file);
  });
  assert.deepEqual(foreign, [], "only the simulator and the viewer are in the bundle");
  viewer = built.outputFiles[0]?.text ?? "";
});

after(() => fs.rmSync(folder, { recursive: true, force: true }));

function small(): Scenario {
  const { scenario } = make.lostWelcome().recording;
  return {
    ...scenario, faults: [], phases: { ...scenario.phases, faultyMs: 20_000 },
    nodes: scenario.nodes.slice(0, 2), seed: "0x0000000000000007",
  };
}

test("sim picture: a run becomes a page below 1 MB, an SVG and a Mermaid diagram", () => {
  const to = (name: string): string => path.join(folder, name);
  const done = draw({ scenario: small(), original: small(), why: ["because"], replay: "again" }, {
    html: to("a.html"), svg: to("a.svg"), mermaid: to("a.mmd"),
  }, () => viewer);
  assert.deepEqual(done, { files: [to("a.html"), to("a.svg"), to("a.mmd")], lost: [] });
  const html = fs.readFileSync(to("a.html"), "utf8");
  assert.ok(Buffer.byteLength(html) < pageBytesMax, `${html.length}`);
  const mark = `id="viewer">`;
  const packed = html.slice(html.indexOf(mark) + mark.length).split("<")[0] as string;
  assert.ok(viewer.length > 10_000, `${viewer.length}`);
  assert.equal(gunzipSync(Buffer.from(packed, "base64")).toString(), viewer);
  parse(fs.readFileSync(to("a.svg"), "utf8"));
  assert.match(fs.readFileSync(to("a.mmd"), "utf8"), /^sequenceDiagram\n/);
});

test("sim picture: the page holds scenarios and no recording: it makes the runs itself", () => {
  const file = path.join(folder, "b.html");
  draw({ scenario: small() }, { html: file }, () => viewer);
  const html = fs.readFileSync(file, "utf8");
  const block = html.slice(html.indexOf(`id="data">`) + 10);
  const data = JSON.parse(block.slice(0, block.indexOf("</script>"))) as PageData;
  assert.deepEqual(data.runs, [{ name: "run", label: "this scenario", scenario: small() }]);
});

test("sim picture: only what is wanted is written", () => {
  const file = path.join(folder, "only.mmd");
  const viewers = { count: 0 };
  const done = draw({ scenario: small() }, { mermaid: file }, () => {
    viewers.count += 1;
    return viewer;
  });
  assert.deepEqual(done, { files: [file], lost: [] });
  assert.equal(viewers.count, 0);
});

test("sim picture: much data are packed, and the same when unpacked", () => {
  const { recording, states } = make.original();
  const data: PageData = {
    runs: [{ name: "recorded", label: "recorded", recording, states }], why: [], replay: "",
  };
  const html = pageOf(recording, data, "void 0;");
  const mark = `type="application/gzip" id="data">`;
  const packed = html.slice(html.indexOf(mark) + mark.length).split("<")[0] as string;
  const unpacked = gunzipSync(Buffer.from(packed, "base64")).toString();
  assert.equal(unpacked, JSON.stringify(data));
});

test("sim picture: a recorded run is drawn with its states", () => {
  const { recording, states } = make.lostWelcome();
  const file = path.join(folder, "c.html");
  const done = drawRecorded(recording, states, "recorded", { html: file }, () => viewer);
  assert.deepEqual(done, { files: [file], lost: [] });
  const { size } = fs.statSync(file);
  assert.ok(size < pageBytesMax, `${size}`);
});

test("sim picture: what a daemon recorded is drawn from its file", () => {
  const [trace, html] = [path.join(folder, "day.trace"), path.join(folder, "day.html")];
  fs.writeFileSync(trace, recorded(script), "latin1");
  const done = drawTrace(trace, { html }, {}, () => viewer);
  assert.deepEqual(done, { files: [html], lost: [], wrong: undefined });
  assert.match(fs.readFileSync(html, "utf8"), /<h1>✓ recorded by directory 0\.1\.0: pass<\/h1>/);
  const foreign = path.join(folder, "foreign.trace");
  fs.writeFileSync(foreign, "nothing of ours\n");
  assert.deepEqual(drawTrace(foreign, { html }, {}, () => viewer).files, []);
});

test("sim picture: without the viewer the error says what to do", () => {
  const file = path.join(folder, "d.html");
  const missing = (): string => {
    throw new MissingViewer("not built");
  };
  assert.throws(() => draw({ scenario: small() }, { html: file }, missing), MissingViewer);
  assert.ok(!fs.existsSync(file));
});

test("sim picture: what cannot be written leaves nothing, and costs no other picture", () => {
  const [bad, good] = [path.join(folder, "refused.svg"), path.join(folder, "fine.mmd")];
  fs.mkdirSync(`${bad}.part`);
  const done = draw({ scenario: small() }, { svg: bad, mermaid: good });
  assert.deepEqual(done.files, [good]);
  assert.match(done.lost.join(), /^cannot write \S+refused\.svg: EISDIR/);
  assert.ok(!fs.existsSync(bad));
});

test("sim picture: a device or a link is written to and not replaced", () => {
  const [link, target] = [path.join(folder, "link.mmd"), path.join(folder, "target.mmd")];
  fs.symlinkSync(target, link);
  assert.deepEqual(draw({ scenario: small() }, { mermaid: link }).files, [link]);
  assert.ok(fs.lstatSync(link).isSymbolicLink());
  assert.match(fs.readFileSync(target, "utf8"), /^sequenceDiagram\n/);
});

test("sim picture: the script asks for nothing but a page", () => {
  const asking = /\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|\bimport\(/;
  assert.doesNotMatch(viewer, asking);
  assert.doesNotMatch(viewer, /\beval\(|new Function/);
  new vm.Script(viewer);
});

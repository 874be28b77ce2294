/**
 * The page around a picture: one self-contained HTML file.
 *
 * Rule 1: nothing is fetched, and the policy in the file says so: style and scripts are allowed by
 * the hash of their text, everything else is refused. The viewer's script is packed, as it holds
 * the whole simulator; what unpacks it is a script of a few lines.
 * Rule 2: what comes from a run is data, in a block that no parser takes for markup or script.
 * Rule 3: without a script there is still a picture.
 * @module
 */
import type { Recording } from "../recording.ts";
import type { Scenario } from "../scenario.ts";
import { aboutOf, svgOf, titleOf } from "./drawing.ts";
import { pageStyle } from "./page-style.ts";
import type { Written } from "./source.ts";
import { colours, drawing } from "./style.ts";
import { escaped } from "./words.ts";

/** One run that the page shows. */
export type PageRun = {
  readonly name: "failing" | "original" | "neighbour" | "run" | "recorded";
  /** What it is called, such as `minimal` or `passes without fault 3`. */
  readonly label: string;
} & (
  /** The page makes the run itself. */
  | { readonly scenario: Scenario }
  /** A run that cannot be made again: it is in the page, with its states. */
  | { readonly recording: Recording; readonly states: Written }
);

export type PageData = {
  /** The first is shown at first. */
  readonly runs: readonly PageRun[];
  /** Lines of `dogwatch sim why`. */
  readonly why: readonly string[];
  /** The command that replays it; empty: none. */
  readonly replay: string;
};

export type PageParts = {
  readonly data: PageData;
  /** The data as it stands in the page, if packed: gzip in base64. */
  readonly packed: string | undefined;
  /** The first run as it was made when the file was written. */
  readonly recording: Recording;
  readonly script: string;
  /** gzip in base64. */
  readonly pack: (text: string) => string;
  /** `sha256-` and base64 of a text. */
  readonly hash: (text: string) => string;
};

/** Runs what stands packed under `viewer`; says so where that cannot be. */
const loader = `(async()=>{try{
const text=document.getElementById("viewer").textContent;
const bytes=Uint8Array.from(atob(text),(letter)=>letter.charCodeAt(0));
const plain=new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
const script=document.createElement("script");
script.text=await new Response(plain).text();
document.body.append(script);
}catch(error){
const said=document.createElement("p");
said.setAttribute("role","alert");
said.textContent="This picture cannot be shown: "+error;
document.getElementById("app").append(said);
}})();`;

/** The document. Throws nothing; sizes are the caller's business. */
export function htmlOf(parts: PageParts): string {
  const style = `${colours}${drawing}${pageStyle}`;
  const policy = [
    "default-src 'none'", `script-src '${parts.hash(loader)}' '${parts.hash(parts.script)}'`,
    `style-src '${parts.hash(style)}'`, "img-src data:", "base-uri 'none'", "form-action 'none'",
  ].join("; ");
  const { recording } = parts;
  const data = parts.packed === undefined
    ? `<script type="application/json" id="data">${inert(JSON.stringify(parts.data))}</script>`
    : `<script type="application/gzip" id="data">${parts.packed}</script>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="dogwatch sim">
<title>${escaped(titleOf(recording))}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<div id="app"><header><h1>${escaped(titleOf(recording))}</h1>
<p class="about">${escaped(aboutOf(recording))}</p></header></div>
<noscript><p>Stepping through the run needs a script; the picture does not.</p>
${withoutStyle(svgOf(recording, { stopsMax: 60 }))}</noscript>
${data}
<script type="application/gzip" id="viewer">${parts.pack(parts.script)}</script>
<script>${loader}</script>
</body>
</html>
`;
}

/** JSON that no parser of markup takes for anything else. */
function inert(json: string): string {
  return json.replaceAll("<", "\\u003c").replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}

/** The page has the style already, and its policy refuses another. */
function withoutStyle(svg: string): string {
  const from = svg.indexOf("<style>");
  const to = svg.indexOf("</style>");
  return from < 0 ? svg : svg.slice(0, from) + svg.slice(to + "</style>".length);
}

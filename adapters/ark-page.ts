/**
 * The read-only status page of Ark wallets: one self-contained document that polls `/status`, and
 * `/plan` now and then. What is wrong stands on top, with what Dogwatch does about it and what a
 * person can.
 *
 * Rule 1: no request leaves for anywhere but this server (`page/frame.ts`).
 * Rule 2: text from the daemon reaches the document only as text nodes, never as markup.
 * Rule 3: it shows; it has no control that changes anything.
 * @module
 */
import { script } from "./ark-page/script.ts";
import { style as own } from "./ark-page/style.ts";
import { framed } from "./page/frame.ts";
import { style as common } from "./page/style.ts";

const body = `
<header>
  <h1>Dogwatch Ark</h1>
  <p id="who">Waiting for the first answer.</p>
  <p><strong id="state" class="badge" role="status">connecting</strong>
    <button id="pause" type="button" aria-pressed="false">Pause (p)</button>
    <span id="age"></span></p>
</header>
<noscript><p>This page draws itself with a script. The same figures are at
  <a href="/status">/status</a>, <a href="/plan">/plan</a> and
  <a href="/metrics">/metrics</a>.</p></noscript>
<section id="trouble" aria-labelledby="h-trouble" hidden><h2 id="h-trouble">What is wrong</h2>
  <ul id="degraded" class="plain"></ul></section>
<main>
  <section class="wide" aria-labelledby="h-wallets"><h2 id="h-wallets">Wallets</h2>
    <div id="wallets"></div><p id="more" class="soft"></p></section>
  <div id="whole"></div>
  <section aria-labelledby="h-disk"><h2 id="h-disk">Journal</h2>
    <dl id="disk" class="cards"></dl><p id="disk-why" class="why"></p></section>
  <section aria-labelledby="h-notices"><h2 id="h-notices">Notices</h2>
    <ul id="targets" class="plain"></ul><dl id="notices" class="cards"></dl></section>
  <section class="wide" aria-labelledby="h-calls"><h2 id="h-calls">Calls to wallets</h2>
    <dl id="calls" class="cards"></dl></section>
</main>
<footer><p>Also: <a href="/plan">/plan</a> <a href="/status">/status</a>
  <a href="/readyz">/readyz</a> <a href="/livez">/livez</a> <a href="/metrics">/metrics</a></p>
</footer>`;

/** The whole document, and the value of the `Content-Security-Policy` header that belongs to it. */
export const page = framed({
  title: "Dogwatch Ark", body, style: `${common}${own}`, script, asks: ["/status"],
});

/**
 * The read-only status page of a maker: one self-contained document that polls `/status` and
 * `/readyz`. What is wrong stands on top, with what the maker does about it and what a person can.
 *
 * Rule 1: no request leaves for anywhere but this server (`page/frame.ts`).
 * Rule 2: text from the maker reaches the document only as text nodes, never as markup.
 * Rule 3: it shows; it has no control that changes the maker.
 * @module
 */
import { script } from "./maker-page/script.ts";
import { style as own } from "./maker-page/style.ts";
import { framed } from "./page/frame.ts";
import { style as common } from "./page/style.ts";

const body = `
<header>
  <h1>Dogwatch maker</h1>
  <p id="who">Waiting for the first answer.</p>
  <p><strong id="state" class="badge" role="status">connecting</strong>
    <button id="pause" type="button" aria-pressed="false">Pause (p)</button>
    <span id="age"></span></p>
</header>
<noscript><p>This page draws itself with a script. The same figures are at
  <a href="/status">/status</a> and <a href="/metrics">/metrics</a>.</p></noscript>
<section id="trouble" aria-labelledby="h-trouble" hidden><h2 id="h-trouble">What is wrong</h2>
  <ul id="degraded" class="plain"></ul></section>
<main>
  <section aria-labelledby="h-offers"><h2 id="h-offers">Offers</h2>
    <div id="offers"></div></section>
  <section aria-labelledby="h-coins"><h2 id="h-coins">Coins by mixdepth</h2>
    <div id="coins"></div></section>
  <section class="wide" aria-labelledby="h-directories"><h2 id="h-directories">Directories</h2>
    <ul id="directories" class="plain"></ul></section>
  <section aria-labelledby="h-node"><h2 id="h-node">Bitcoin node</h2>
    <dl id="node" class="cards"></dl><p id="node-why" class="why"></p></section>
  <section aria-labelledby="h-onion"><h2 id="h-onion">Own onion service</h2>
    <dl id="onion" class="cards"></dl><p id="onion-why" class="why"></p></section>
  <section aria-labelledby="h-pending"><h2 id="h-pending">Pending transactions</h2>
    <dl id="pending" class="cards"></dl></section>
  <section aria-labelledby="h-disk"><h2 id="h-disk">Journal</h2>
    <dl id="disk" class="cards"></dl><p id="disk-why" class="why"></p></section>
  <section aria-labelledby="h-notices"><h2 id="h-notices">Notices</h2>
    <ul id="targets" class="plain"></ul><dl id="notices" class="cards"></dl></section>
  <section aria-labelledby="h-takers"><h2 id="h-takers">Takers</h2>
    <dl id="takers" class="cards"></dl></section>
  <section aria-labelledby="h-limits"><h2 id="h-limits">Limits</h2>
    <dl id="limits" class="cards"></dl>
    <table><caption>Refused, by reason</caption><tbody id="refusals"></tbody></table></section>
  <section aria-labelledby="h-direct"><h2 id="h-direct">Direct connections</h2>
    <dl id="direct" class="cards"></dl>
    <table><caption>Ended, by reason</caption><tbody id="ended"></tbody></table></section>
</main>
<footer><p>Also: <a href="/status">/status</a> <a href="/readyz">/readyz</a>
  <a href="/livez">/livez</a> <a href="/metrics">/metrics</a></p></footer>`;

/** The whole document, and the value of the `Content-Security-Policy` header that belongs to it. */
export const page = framed({ title: "Dogwatch maker", body, style: `${common}${own}`, script });

/**
 * The read-only status page: one self-contained document that polls `/status` and `/readyz`.
 *
 * Rule 1: no request leaves for anywhere but this server (`page/frame.ts`).
 * Rule 2: text from the node reaches the document only as text nodes, never as markup.
 * Rule 3: it shows; it has no control that changes the node.
 * @module
 */
import { framed } from "./page/frame.ts";
import { script } from "./page/script.ts";
import { style } from "./page/style.ts";

const body = `
<header>
  <h1>Dogwatch directory</h1>
  <p id="who">Waiting for the first answer.</p>
  <p><strong id="state" class="badge" role="status">connecting</strong>
    <button id="pause" type="button" aria-pressed="false">Pause (p)</button></p>
  <ul id="reasons" aria-label="Why the node is not ready"></ul>
</header>
<noscript><p>This page draws itself with a script. The same figures are at
  <a href="/status">/status</a> and <a href="/metrics">/metrics</a>.</p></noscript>
<main>
  <section aria-labelledby="h-peers"><h2 id="h-peers">Peers</h2>
    <dl id="peers" class="cards"></dl></section>
  <section aria-labelledby="h-rate"><h2 id="h-rate">Messages</h2>
    <p><span id="rate" class="big">–</span> relayed per second</p>
    <svg id="spark" role="img" viewBox="0 0 240 48" preserveAspectRatio="none"
      aria-label="Messages per second, not enough samples yet"><polyline points="" /></svg>
    <dl id="messages" class="cards"></dl>
  </section>
  <section aria-labelledby="h-beat"><h2 id="h-beat">Heartbeat</h2>
    <dl id="heartbeat" class="cards"></dl></section>
  <section aria-labelledby="h-out"><h2 id="h-out">Waiting to be sent</h2>
    <dl id="outbox" class="cards"></dl></section>
  <section class="wide" id="service" aria-labelledby="h-onion" hidden>
    <h2 id="h-onion">Own onion service</h2><dl id="onion" class="cards"></dl></section>
  <section class="wide" aria-labelledby="h-recent"><h2 id="h-recent">Latest events</h2>
    <ul id="recent"></ul></section>
  <section class="wide" aria-labelledby="h-why"><h2 id="h-why">Why</h2>
    <div class="tables">
      <table><caption>Lines dropped, by reason</caption><tbody id="drops"></tbody></table>
      <table><caption>Connections closed, by reason</caption><tbody id="closes"></tbody></table>
      <table><caption>Handshakes, by result</caption><tbody id="handshakes"></tbody></table>
    </div>
  </section>
</main>
<footer><p>Also: <a href="/status">/status</a> <a href="/readyz">/readyz</a>
  <a href="/livez">/livez</a> <a href="/metrics">/metrics</a></p></footer>`;

/** The whole document, and the value of the `Content-Security-Policy` header that belongs to it. */
export const page = framed({ title: "Dogwatch directory", body, style, script });

/**
 * What the pages of daemons that say what is wrong with them have in common, beyond the style of
 * all pages. Colours meet a contrast of 4.5:1 on both grounds; what a colour says, a word says too.
 * @module
 */

/** Inlined behind the common style: its hash stands in the page's policy. */
export const style = `
[hidden] { display: none; }
#age { color: var(--bad); }
#trouble { margin-top: 1rem; border: 2px solid var(--bad); }
#trouble h2 { color: var(--bad); }
.plain { list-style: none; margin: 0; padding: 0; }
.plain li { padding: .4rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
.plain li:first-child { border-top: 0; padding-top: 0; }
.plain p { margin: .1rem 0; }
.plain .soft, .soft { color: var(--soft); }
.name { font-weight: 600; }
.row { display: grid; grid-template-columns: 6.5rem auto 1fr; column-gap: 1rem; }
.row .soft { text-align: right; }
@media (max-width: 60rem) { .row { grid-template-columns: 1fr; }
  .row .soft { text-align: left; } }
.text { font-size: 1rem; padding-top: .2rem; }
.why { color: var(--bad); margin: .5rem 0 0; }
.why:empty { display: none; }
.mark { display: inline-block; min-width: 6.5rem; font-weight: 600; color: var(--wait); }
.mark.good { color: var(--good); }
.mark.bad { color: var(--bad); }
.old main, .old #trouble { opacity: .55; }
#notices:not(:first-child) { margin-top: .5rem; }
`;

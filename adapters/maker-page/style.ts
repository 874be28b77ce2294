/**
 * What the maker's page needs beyond the style that all pages share. Colours meet a contrast of
 * 4.5:1 on both grounds; what a colour says, a word says too.
 * @module
 */
import { style as troubles } from "../page/troubles.ts";

/** Inlined behind the common style: its hash stands in the page's policy. */
export const style = `${troubles}
.offer { border-top: 1px solid var(--line); padding: .4rem 0; }
.offer:first-child { border-top: 0; padding-top: 0; }
.offer p:last-child { margin-bottom: 0; }
.fee { font-size: 1.25rem; font-variant-numeric: tabular-nums; }
#coins table { margin-bottom: .5rem; }
#coins td.plot { width: 45%; padding: .2rem .5rem; }
#coins svg { height: .9rem; margin: 0; border: 0; background: var(--ground); }
#coins th { white-space: nowrap; }
#coins td { white-space: nowrap; }
.spendable { fill: var(--mark); }
.unconfirmed { fill: var(--wait); }
.locked { fill: var(--soft); }
.key { display: inline-block; width: .8rem; height: .8rem; margin-right: .3rem; }
.key.spendable { background: var(--mark); }
.key.unconfirmed { background: var(--wait); }
.key.locked { background: var(--soft); }
.keys span:not(.key) { margin-right: 1rem; }
#limits { margin-bottom: .5rem; }
`;

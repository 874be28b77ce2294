/**
 * What the page of Ark wallets needs beyond the style that all pages share.
 * @module
 */
import { style as troubles } from "../page/troubles.ts";

/** Inlined behind the common style: its hash stands in the page's policy. */
export const style = `${troubles}
h3 { font-size: 1rem; margin: 1rem 0 .3rem; }
#wallets { overflow-x: auto; }
#wallets table, #whole table { margin: 0; }
#wallets th, #wallets td { white-space: nowrap; text-align: left; padding-right: 1rem; }
#whole td { text-align: left; }
.mark.plainly { color: inherit; font-weight: 400; }
#whole { display: contents; }
#whole section { overflow-x: auto; }
#whole .plan th, #whole .plan td { padding-right: 1rem; }
@media (max-width: 40rem) {
  #wallets thead { display: none; }
  #whole .plan th, #whole .plan td { padding-right: .5rem; }
  #whole table { font-size: .875rem; }
  #wallets tr { display: block; padding: .4rem 0; border-top: 1px solid var(--line); }
  #wallets th, #wallets td { display: flex; gap: .75rem; white-space: normal; border: 0;
    padding: 0; }
  #wallets td::before { content: attr(data-of); color: var(--soft); flex: 0 0 6.5rem; }
}
`;

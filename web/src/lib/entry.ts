/** An open sheet has an entry in the browser's history, so that Back closes it. */

import { tick } from 'svelte';
import { isOfSheet, leaving } from '../address';

/** how many sheets are open: two while one opens another */
let sheets = 0;

function push(): void {
  // A sheet that opens another leaves its entry to that one.
  if (!isOfSheet()) history.pushState({ sheet: true }, '');
}

/** A sheet opens; `close` is what Back does. Returns what to call when the sheet has closed. */
export function enter(close: () => void): () => void {
  sheets += 1;
  // The next step back may be that from the entry of a sheet that closed before.
  let isEarly = leaving.sheet;
  if (!isEarly) push();
  const back = (): void => {
    if (!isEarly) return close();
    isEarly = false;
    push();
  };
  addEventListener('popstate', back);
  return () => {
    removeEventListener('popstate', back);
    sheets -= 1;
    void tick().then(() => {
      if (sheets > 0 || leaving.sheet || !isOfSheet()) return;
      leaving.sheet = true;
      history.back();
    });
  };
}

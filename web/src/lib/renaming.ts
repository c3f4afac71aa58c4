/** The requests of the sheet for the user's name. */

import type { Page } from '../page.svelte';
import type { Refusal } from '../wire';

const CUT_OFF: Refusal = { ok: false, code: 'offline', msg: '' };

/** A random free name; no one else sees the request. */
export async function suggestName(page: Page): Promise<string | Refusal> {
  const ack = await page.ask({ action: 'rename', suggest: true });
  return ack === null ? CUT_OFF : ack.ok ? (ack.username ?? '') : ack;
}

/** Take another name. Returns why not, or null. */
export async function takeName(page: Page, name: string): Promise<Refusal | null> {
  const ack = await page.ask({ action: 'rename', username: name });
  if (ack === null) return CUT_OFF;
  if (!ack.ok) return ack;
  page.dispatch({ type: 'renamed', ack });
  return null;
}

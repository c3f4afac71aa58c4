/** Changing the language, which a first load does not need. */

import { keep } from '../lib/store';
import { language, LOAD, LOAD_REST, type Lang } from './words.svelte';

const AFTER_MS = 3_000;

/** Fetch every language, a while after the page: the user may change it without a connection. */
export function fetchLanguages(): void {
  setTimeout(() => {
    for (const load of [...Object.values(LOAD), ...Object.values(LOAD_REST)]) load().catch(() => undefined);
  }, AFTER_MS);
}

/** Change the language, if it can be fetched. */
export async function choose(lang: Lang): Promise<void> {
  // Stored first: without a connection it takes effect at the next load.
  keep('localStorage', 'lang', lang);
  const loaded = await Promise.all([LOAD[lang](), LOAD_REST[lang]()]).catch(() => null);
  if (loaded) language.change(lang, ...loaded);
}

/** The page's own words for what the server refuses. */

import type { Refusal } from '../wire';
import type { Words } from './en';

export function sentence(words: Words, refusal: Refusal, wanted = ''): string {
  const known: Record<string, string | ((name: string) => string)> = words.refusals;
  const found = Object.hasOwn(known, refusal.code) ? known[refusal.code]! : words.refusals.other;
  return typeof found === 'function' ? found(wanted) : found;
}

/** What a notice says: in the page's words where it has some, else in the server's. */
export function noticed(words: Words, about: string, text: string): string {
  const refusal = sentence(words, { ok: false, code: about, msg: text });
  return refusal === words.refusals.other || about === 'name_taken' ? text : refusal;
}

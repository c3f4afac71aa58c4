/** The page's own sentences for refusals. */

import { purged, refusedIn } from '../lib/refused';
import type { Refusal } from '../wire';
import type { Words } from './en';
import type { Rest } from './en.rest';

export { purged, refusedIn };

export type Known = Words & Rest;

export function sentence(words: Known, refusal: Refusal, wanted = String(refusal.name ?? '')): string {
  // About people and rooms, the server's sentence says more than the code.
  if (refusal.msg && (refusal.held || refusal.code === 'no_such_person' || (refusal.usage && (refusal.name || refusal.room || refusal.code === 'unknown_command')))) return refusal.msg;
  // For a command with wrong arguments, its usage helps more than a sentence.
  if (typeof refusal.usage === 'string') return words.usage(refusal.usage);
  if (refusal.code === 'bad_request' && refusedIn(refusal)) return unsent(words, refusal);
  const known: Record<string, string | ((name: string, instead: string) => string)> = words.refusals;
  const code = refusal.code === 'recipient_other' && refusal.restarted ? 'recipient_unknown' : refusal.code;
  const found = Object.hasOwn(known, code) ? known[code]! : words.refusals.other;
  return withCharacter(typeof found === 'function' ? found(wanted, String(refusal.instead)) : found, refusal);
}

/** The sentence with the refused character, if there is one, before its full stop. */
function withCharacter(said: string, refusal: Refusal): string {
  if (!refusedIn(refusal)) return said;
  return said.endsWith('。') ? `${said.slice(0, -1)}（${refusal.character}）。` : said.replace(/\.?$/, ` (${refusal.character})$&`);
}

/** Why a message was not sent, if there is a sentence that helps. */
export function unsent(words: Known, refusal: Refusal | null): string {
  if (refusal === null) return words.notSent;
  const known: Record<string, string> = words.unsent;
  if (Object.hasOwn(known, refusal.code)) return withCharacter(known[refusal.code]!, refusal);
  const why = sentence(words, refusal);
  return why === words.refusals.other ? words.notSent : why;
}

/** What a notice says: the page's sentence if it has one, else the server's. */
export function noticed(words: Known, about: string, text: string): string {
  const refusal = sentence(words, { ok: false, code: about, msg: text });
  return refusal === words.refusals.other || about === 'name_taken' ? text : refusal;
}

/** What may be meant by what is being typed: a command after `/` or what Chinese keyboards type for it, a name after `@`, `/to` or `to:`. */

import type { Command } from '../wire';
import { folded } from './names';
import { keyOf } from './typed';

export interface Completion {
  /** what is shown */
  label: string;
  hint: string;
  /** the text that takes the place of what was typed, from `start` to the caret */
  insert: string;
  start: number;
  /** all of it was typed, or nothing: Enter sends */
  isWhole: boolean;
}

const MOST = 12;
/** `/to` or `to:`, and what of a name stands behind it: `/to` has a text behind the name, so a name with spaces is quoted. */
const RECIPIENT = /^\s*(?:([/／、](?:to|msg|w)\s+)|to\s*[:：]\s*)(["“]?([^\n"”]{0,256}))$/i;

export function complete(text: string, caret: number, commands: readonly Command[], names: readonly string[], lang = 'en'): Completion[] {
  const before = text.slice(0, caret);
  const command = /^\s*[/／、]([^\s/]*)$/.exec(before);
  if (command) {
    const typed = command[1]!.normalize('NFKC').toLowerCase();
    const start = caret - command[1]!.length - 1;
    return commands
      .map((one) => ({ ...one, word: one.usage.split(' ')[0]! }))
      .filter((one) => one.word.toLowerCase().startsWith('/' + typed))
      .slice(0, MOST)
      .map((one) => ({ label: one.usage, hint: one.help[lang] ?? '', insert: one.word + ' ', start, isWhole: one.word.toLowerCase() === '/' + typed }));
  }
  const recipient = RECIPIENT.exec(before);
  if (recipient) {
    const [, slash, written, part] = recipient;
    const typed = folded(part!);
    const key = keyOf(part!);
    return names
      .filter((name) => folded(name).startsWith(typed))
      .sort((one, other) => Number(keyOf(other) === key) - Number(keyOf(one) === key))
      .slice(0, MOST)
      .map((name) => ({
        label: name,
        hint: '',
        insert: slash ? (/\s/.test(name) ? `"${name}" ` : `${name} `) : name,
        start: caret - written!.length,
        isWhole: key === '' || keyOf(name) === key,
      }));
  }
  const mention = /(?:^|[^\p{Script=Latin}\p{N}@])@([^\s@]{0,256})$/u.exec(before);
  if (!mention) return [];
  const typed = folded(mention[1]!);
  const start = caret - mention[1]!.length - 1;
  return names
    .filter((name) => folded(name).startsWith(typed))
    .slice(0, MOST)
    .map((name) => ({ label: name, hint: '', insert: `@${name} `, start, isWhole: folded(name) === typed }));
}

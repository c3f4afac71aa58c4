/** What may complete the text before the caret: a command, or a name after `@`, `/to` or `to:`, however these are typed. */

import type { Command } from '../wire';
import { folded } from './names';
import { afterColon, keyOf, read } from './typed';

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
/** The commands whose first argument is a name. A text stands after it, so a name with spaces is quoted. */
const WHISPERS = /^(?:to|msg|w|tell|whisper|dm|pm)$/;
/** A name that is being typed, perhaps after a quotation mark. */
const BEGUN = /^["“]?([^\n"”]{0,256})$/;

/** `names` is called only where a name is being typed. */
export function complete(text: string, caret: number, commands: readonly Command[], names: () => readonly string[], lang = 'en'): Completion[] {
  const before = text.slice(0, caret);
  const typed = read(before);
  if (typed.kind === 'command') {
    const after = typed.text.slice(1);
    const [word] = after.split(/\s/, 1);
    const known = folded(word!);
    if (word === after) return completeCommand(known, caret - after.length - 1, commands, lang);
    if (WHISPERS.test(known)) return completeRecipient(after.slice(word!.length), caret, names, (name) => (/\s/.test(name) ? `"${name}" ` : `${name} `));
  }
  if (typed.kind === 'to') return completeRecipient(afterColon(before), caret, names, (name) => name);
  return completeMention(before, names);
}

function completeCommand(typed: string, start: number, commands: readonly Command[], lang: string): Completion[] {
  return commands
    .map((one) => ({ ...one, word: one.usage.split(' ')[0]! }))
    .filter((one) => one.word.toLowerCase().startsWith('/' + typed))
    .slice(0, MOST)
    .map((one) => ({ label: one.usage, hint: one.help[lang] ?? '', insert: one.word + ' ', start, isWhole: one.word.toLowerCase() === '/' + typed }));
}

/** The names that begin with `after`, which ends at the caret; the one that is meant exactly comes first. */
function completeRecipient(after: string, caret: number, names: () => readonly string[], written: (name: string) => string): Completion[] {
  const begun = after.trimStart();
  const part = BEGUN.exec(begun)?.[1];
  if (part === undefined) return [];
  const typed = folded(part);
  const key = keyOf(part);
  return names()
    .filter((name) => folded(name).startsWith(typed))
    .sort((one, other) => Number(keyOf(other) === key) - Number(keyOf(one) === key))
    .slice(0, MOST)
    .map((name) => ({ label: name, hint: '', insert: written(name), start: caret - begun.length, isWhole: key === '' || keyOf(name) === key }));
}

function completeMention(before: string, names: () => readonly string[]): Completion[] {
  const mention = /(?:^|[^\p{Script=Latin}\p{N}@])@([^\s@]{0,256})$/u.exec(before);
  if (!mention) return [];
  const typed = folded(mention[1]!);
  const start = before.length - mention[1]!.length - 1;
  return names()
    .filter((name) => folded(name).startsWith(typed))
    .slice(0, MOST)
    .map((name) => ({ label: name, hint: '', insert: `@${name} `, start, isWhole: folded(name) === typed }));
}

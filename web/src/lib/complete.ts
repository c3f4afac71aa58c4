/** What may be meant by what is being typed: a command after `/` or what Chinese keyboards type for it, a name after `@`. */

import type { Command } from '../wire';
import { folded } from './names';

export interface Completion {
  /** what is shown */
  label: string;
  hint: string;
  /** the text that takes the place of what was typed, from `start` to the caret */
  insert: string;
  start: number;
}

const MOST = 12;

export function complete(text: string, caret: number, commands: readonly Command[], names: readonly string[], lang = 'en'): Completion[] {
  const before = text.slice(0, caret);
  const command = /^\s*[/／、]([^\s/]*)$/.exec(before);
  if (command) {
    const typed = command[1]!.toLowerCase();
    const start = caret - typed.length - 1;
    return commands
      .map((one) => ({ ...one, word: one.usage.split(' ')[0]! }))
      .filter((one) => one.word.toLowerCase().startsWith('/' + typed))
      .slice(0, MOST)
      .map((one) => ({ label: one.usage, hint: one.help[lang] ?? '', insert: one.word + ' ', start }));
  }
  const mention = /(?:^|[^\p{Script=Latin}\p{N}@])@([^\s@]{0,256})$/u.exec(before);
  if (!mention) return [];
  const typed = folded(mention[1]!);
  const start = caret - mention[1]!.length - 1;
  return names
    .filter((name) => folded(name).startsWith(typed))
    .slice(0, MOST)
    .map((name) => ({ label: name, hint: '', insert: `@${name} `, start }));
}

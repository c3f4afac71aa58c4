/** What a screen reader reads out: new messages only; those of a burst are counted instead. */

import type { Item } from '../state/types';
import type { Rest } from '../words/en.rest';

/** More than this at once is a burst. */
export const BURST = 3;

export function announcement(words: Rest, fresh: readonly Item[]): string {
  const messages = fresh.filter((item): item is Item & { kind: 'said' | 'whisper' } => (item.kind === 'said' || item.kind === 'whisper') && !item.mine);
  if (messages.length === 0) return '';
  if (messages.length > BURST) return words.announcedMany(messages.length);
  return messages
    .map((item) => words.announced(item.kind === 'whisper' ? words.whisperFrom(item.name) : item.name, item.text))
    .join('\n');
}

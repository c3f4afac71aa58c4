/** What a screen reader is told: new talk only; what comes in a burst is counted instead of read out. */

import type { Item } from '../state/types';
import type { Rest } from '../words/en.rest';

/** More than this at once is a burst. */
export const BURST = 3;

export function announcement(words: Rest, fresh: readonly Item[]): string {
  const told = fresh.filter((item): item is Item & { kind: 'said' | 'whisper' } => (item.kind === 'said' || item.kind === 'whisper') && !item.mine);
  if (told.length === 0) return '';
  if (told.length > BURST) return words.heardMany(told.length);
  return told
    .map((item) => words.heard(item.kind === 'whisper' ? words.whisperFrom(item.name) : item.name, item.text))
    .join('\n');
}

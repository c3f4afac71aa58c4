/** What a notification says: pure. */

import type { Item, Said, Whispered } from '../state/types';
import type { Rest } from '../words/en.rest';
import { mentions } from './mention';

/** The newest mention or whisper, or null. */
export function lastCall(items: readonly Item[], name: string): Said | Whispered | null {
  for (let index = items.length - 1; index >= 0; index--) {
    const item = items[index]!;
    if (item.kind === 'whisper' && !item.mine) return item;
    if (item.kind === 'said' && !item.mine && mentions(item.text, name)) return item;
  }
  return null;
}

/** A whisper is for one person only, and a notification may be seen by others, on a locked phone too: it has no text. */
export function alert(words: Rest, room: string, item: Said | Whispered): { title: string; body: string } {
  return item.kind === 'whisper'
    ? { title: words.whisperFrom(item.name), body: '' }
    : { title: `${item.name} · ${room}`, body: item.text };
}

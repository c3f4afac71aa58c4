/** The user's earlier messages to the current target, as the arrow keys bring them back. */

import { asTyped } from '../lib/typed';
import { indexOfKey } from './timeline';
import type { Said, State, Whispered } from './types';

/** The user's own messages to the current target, oldest first. */
function own(state: State): (Said | Whispered)[] {
  const to = state.partner?.sid;
  return state.items.filter((item): item is Said | Whispered =>
    item.kind === 'said' ? item.mine && to === undefined : item.kind === 'whisper' && item.mine && item.toSid === to,
  );
}

/** The own message before (-1) or after (1) the one with this key, as it would be typed; null if there is none. */
export function step(state: State, from: string | null, by: -1 | 1): { key: string; text: string } | null {
  const list = own(state);
  const at = from === null ? list.length : indexOfKey(list, from);
  const item = list[at + by];
  // The message may have been deleted.
  if (!item || at < 0) return null;
  // One that is still to be sent is held as it was typed.
  return { key: item.key, text: item.fate === 'said' ? asTyped(item.text) : item.text };
}

/** Whether the arrow (-1: up) moves the caret between lines of the text. */
export function isInside(box: Pick<HTMLTextAreaElement, 'value' | 'selectionStart' | 'selectionEnd'>, by: -1 | 1): boolean {
  return (by < 0 ? box.value.slice(0, box.selectionStart) : box.value.slice(box.selectionEnd)).includes('\n');
}

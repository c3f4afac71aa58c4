/** Which of the suggestions the keys choose. The arrows pick one by its label, because the list may change. */

import type { Completion } from './complete';

/** What a key asks for: the label that an arrow reaches, or to take the suggestion at an index, or to hide all. */
export type Choice = { pick: string } | { take: number } | 'hide';

/** The index of the one that Enter takes; -1: Enter sends. */
export function markedIn(offers: readonly Completion[], picked: string | null): number {
  const at = offers.findIndex((offer) => offer.label === picked);
  return at < 0 && !offers[0]?.isWhole ? 0 : at;
}

/** What a key does to the suggestions on the screen; null: nothing, so it is the text box's. */
export function chooseBy({ key, shiftKey }: Pick<KeyboardEvent, 'key' | 'shiftKey'>, offers: readonly Completion[], picked: string | null): Choice | null {
  if (offers.length === 0) return null;
  const marked = markedIn(offers, picked);
  switch (key) {
    case 'ArrowDown':
      return { pick: offers[(marked + 1) % offers.length]!.label };
    case 'ArrowUp':
      return { pick: offers[(Math.max(marked, 0) - 1 + offers.length) % offers.length]!.label };
    case 'Tab':
      return { take: Math.max(marked, 0) };
    case 'Enter':
      return shiftKey || marked < 0 ? null : { take: marked };
    case 'Escape':
      return 'hide';
    default:
      return null;
  }
}

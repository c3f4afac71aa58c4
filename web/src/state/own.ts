/**
 * Which messages this tab has sent, by their ids: the log does not say whose a message is, and a reload forgets.
 *
 * They stay the user's own under another name or identity, because it is the same person in the same tab. Only the ids are
 * stored, and only as long as the tab is open.
 */

import { isSameRoom } from '../lib/places';
import type { Item, Own, State } from './types';

/** The oldest beyond these are forgotten. */
export const MOST_IDS = 500;
export const MOST_ROOMS = 20;

const NONE: ReadonlySet<string> = new Set();

/** Record which messages are the user's own, and mark those in a page of the log. */
export function recognise(state: State, before: State): State {
  if (state.items === before.items && state.room === before.room) return state;
  const known = idsOf(state);
  // In their order, so that the first is the oldest; what is older still was forgotten before.
  const oldest = known.size < MOST_IDS ? '' : [...known][0]!;
  const fresh: string[] = [];
  let items: Item[] | null = null;
  state.items.forEach((item, index) => {
    if (item.kind !== 'said' || item.id === null || item.mine === known.has(item.id)) return;
    if (!item.mine) (items ??= state.items.slice())[index] = { ...item, mine: true };
    else if (item.id > oldest) fresh.push(item.id);
  });
  const marked = items ? { ...state, items } : state;
  return fresh.length === 0 ? marked : remember(marked, fresh);
}

/** Record that messages are the user's own, whether or not they are shown. */
export function remember(state: State, ids: readonly string[]): State {
  const here: Own = { room: state.room, ids: new Set([...idsOf(state), ...ids].sort().slice(-MOST_IDS)) };
  const others = state.own.filter((one) => !isSameRoom(one.room, state.room));
  return { ...state, own: [...others, here].slice(-MOST_ROOMS) };
}

/** The ids of the user's own messages in this room. */
export function idsOf(state: State): ReadonlySet<string> {
  return state.own.find((one) => isSameRoom(one.room, state.room))?.ids ?? NONE;
}

/** What must survive a reload, as text. */
export function packOwn(own: readonly Own[]): string {
  return JSON.stringify(own.map(({ room, ids }) => [room, ...ids]));
}

/** Read what `packOwn` wrote; ignore anything else. */
export function unpackOwn(text: string | null): Own[] {
  let kept: unknown;
  try {
    kept = JSON.parse(text ?? '[]');
  } catch {
    return [];
  }
  if (!Array.isArray(kept)) return [];
  return kept
    .filter((one): one is [string, ...string[]] => Array.isArray(one) && one.length > 0 && one.every((part) => typeof part === 'string'))
    .map(([room, ...ids]) => ({ room, ids: new Set(ids) }));
}

/**
 * Which part of a room's log the list holds: one piece of at most KEEP rows. Beyond either end the log may have more,
 * which is fetched when a person gets near to it.
 */

import type { Entry } from '../wire';
import { indexOfKey, insert, isPending, merge, mergeOlder, oldestId, placeBehind } from './timeline';
import type { Item, State } from './types';

/** More rows than these are not kept. */
export const KEEP = 500;
/** How many rows more than necessary are dropped at a time. */
const DROP = 100;
/** What the log does not have stays when the rows around it go; of more than these the oldest go. */
const OWN_ROWS = 100;

/** Drop the rows farthest from the one being read. */
export function bound(state: State): State {
  const { items } = state;
  if (items.length <= KEEP) return state;
  const drop = items.length - KEEP + DROP;
  const reading = state.atBottom || state.reading === null ? items.length : indexOfKey(items, state.reading);
  if (reading < 0 || reading >= items.length / 2) {
    return { ...state, items: [...onlyHere(items.slice(0, drop)), ...items.slice(drop)], older: 'more' };
  }
  const pending = items.filter(isPending);
  const rest = items.slice(0, items.length - pending.length);
  const kept = [...rest.slice(0, -drop), ...onlyHere(rest.slice(-drop)), ...pending];
  return { ...state, items: kept, newer: state.newer === 'none' ? 'more' : state.newer };
}

/** Whispers, and messages that failed. */
function isOnlyHere(item: Item): boolean {
  return item.kind === 'whisper' || (item.kind === 'said' && item.fate === 'failed');
}

function onlyHere(items: readonly Item[]): Item[] {
  return items.filter(isOnlyHere).slice(-OWN_ROWS);
}

/** The newest message that the log knows, beyond which newer ones may lie. */
export function newestId(items: readonly Item[]): string | null {
  for (let index = items.length - 1; index >= 0; index--) {
    const item = items[index]!;
    if (item.kind === 'said' && item.id !== null) return item.id;
  }
  return null;
}

/** A page of what is older than all rows, as they were when it was asked for. */
export function olderCame(state: State, before: string, entries: readonly Entry[], more: boolean): State {
  if (oldestId(state.items) !== before) return olderFailed(state);
  return { ...state, items: mergeOlder(state.items, entries, state.now), older: more && entries.length > 0 ? 'more' : 'none' };
}

export function olderFailed(state: State): State {
  return { ...state, older: state.older === 'asking' ? 'more' : state.older };
}

/** A page of what is newer than all rows, as they were when it was asked for; after the last page, what arrived meanwhile follows. */
export function newerCame(state: State, after: string, entries: readonly Entry[], more: boolean, gap: boolean): State {
  if (state.newer !== 'asking' || newestId(state.items) !== after) return newerFailed(state);
  let { items, serial } = state;
  if (gap) {
    serial += 1;
    items = insert(items, { kind: 'note', key: `n${serial}`, at: placeBehind(after, serial), time: state.now, note: { code: 'gap' } });
  }
  const isWhole = !more;
  const merged = merge(items, isWhole ? [...entries, ...state.ahead] : entries, state.now);
  return { ...state, serial, items: merged, newer: isWhole ? 'none' : 'more', ahead: [] };
}

export function newerFailed(state: State): State {
  return state.newer === 'asking' ? { ...state, newer: 'more', ahead: [] } : state;
}

/** The newest page, and what arrived since it was asked for: the list begins again with them. */
export function latestCame(state: State, entries: readonly Entry[]): State {
  if (state.newer !== 'jumping') return state;
  // With so much that arrived there may be a hole before it, and it is enough by itself.
  const newest = state.ahead.length < KEEP ? [...entries, ...state.ahead] : state.ahead;
  const first = newest[0]?.id;
  const kept = state.items.filter((item) => isOnlyHere(item) || isPending(item) || (first !== undefined && item.at >= first));
  const items = merge(kept, newest, state.now);
  return { ...state, items, newer: 'none', ahead: [], older: first === undefined ? 'none' : 'more', atBottom: true, reading: null };
}

/** To the newest message; where the list does not reach it, `latestCame` follows. */
export function toEnd(state: State): State {
  if (state.newer === 'none') return { ...state, atBottom: true, reading: null };
  return state.newer === 'jumping' ? state : { ...state, newer: 'jumping', ahead: [] };
}

/** A live message that lies beyond the rows: it is counted, and kept only while a page is on its way. */
export function beyond(state: State, entry: Entry): State {
  if (state.newer === 'more') return state;
  // Too many arrived meanwhile: the page will not reach the end, so another is fetched.
  if (state.newer === 'asking' && state.ahead.length >= KEEP) return { ...state, newer: 'more', ahead: [] };
  return { ...state, ahead: [...state.ahead, entry].slice(-KEEP) };
}

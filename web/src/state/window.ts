/**
 * Which part of a room's log the list holds: one piece of at most KEEP rows. Beyond either end the log may have more,
 * which is fetched when the user scrolls near.
 */

import type { Entry } from '../wire';
import { indexOfKey, isPending, merge, mergeOlder, oldestId, remark } from './timeline';
import type { Item, State } from './types';

/** More rows than these are not kept. */
export const KEEP = 500;
/** How many rows more than necessary are dropped at a time. */
const DROP = 100;
/** Rows that the log does not have are kept when those around them are dropped; the oldest beyond this number go. */
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

/** Whether the log does not have it: a whisper, or a failed message. */
function isOnlyHere(item: Item): boolean {
  return item.kind === 'whisper' || (item.kind === 'said' && item.fate === 'failed');
}

function onlyHere(items: readonly Item[]): Item[] {
  return items.filter(isOnlyHere).slice(-OWN_ROWS);
}

/** The newest stored message in the list; the log may have newer ones. */
export function newestId(items: readonly Item[]): string | null {
  for (let index = items.length - 1; index >= 0; index--) {
    const item = items[index]!;
    if (item.kind === 'said' && item.id !== null) return item.id;
  }
  return null;
}

/** A page of older messages came; it is dropped if the rows have changed since it was requested. */
export function olderCame(state: State, before: string, entries: readonly Entry[], more: boolean): State {
  if (oldestId(state.items) !== before) return olderFailed(state);
  return { ...state, items: mergeOlder(state.items, entries, state.now), older: more && entries.length > 0 ? 'more' : 'none' };
}

export function olderFailed(state: State): State {
  return { ...state, older: state.older === 'asking' ? 'more' : state.older };
}

/** A page of newer messages came; it is dropped if the rows have changed. After the last page follow the messages that arrived meanwhile. */
export function newerCame(state: State, after: string, entries: readonly Entry[], more: boolean, gap: boolean): State {
  if (state.newer !== 'asking' || newestId(state.items) !== after) return newerFailed(state);
  const { items, serial } = gap ? remark(state, { code: 'gap' }, after) : state;
  const isWhole = !more;
  const merged = merge(items, isWhole ? [...entries, ...state.ahead] : entries, state.now);
  return { ...state, serial, items: merged, newer: isWhole ? 'none' : 'more', ahead: [] };
}

export function newerFailed(state: State): State {
  return state.newer === 'asking' ? { ...state, newer: 'more', ahead: [] } : state;
}

/** The newest page came: the list now has it and the messages that arrived meanwhile. */
export function latestCame(state: State, entries: readonly Entry[]): State {
  if (state.newer !== 'jumping') return state;
  // With so many arrived, there may be a gap before them, and they fill the list by themselves.
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

/** A live message beyond the rows came: it is counted, and kept only while a page is on its way. */
export function beyond(state: State, entry: Entry): State {
  if (state.newer === 'more') return state;
  // Too many arrived meanwhile: the page will not reach the end, so another is fetched.
  if (state.newer === 'asking' && state.ahead.length >= KEEP) return { ...state, newer: 'more', ahead: [] };
  return { ...state, ahead: [...state.ahead, entry].slice(-KEEP) };
}

/**
 * The order of what is shown: one list sorted by `at`, in which no id stands twice.
 * It knows where a row belongs and nothing of why it came.
 */

import type { Entry } from '../wire';
import type { Item, Note, NoteText, Said, State } from './types';

/** Sorts before every id. */
export const NO_ID = '0';

const PAD = 9;

/** After every id ('~' sorts after all digits): for pending messages. */
export function placeAtEnd(serial: number): string {
  return '~' + String(serial).padStart(PAD, '0');
}

/** After the last message known: for what happened between two messages and has no id. */
export function placeAfter(id: string, serial: number): string {
  return `${id}~${String(serial).padStart(PAD, '0')}`;
}

/** On its way, or failed: it has no place among the messages yet. */
export function isPending(item: Item | undefined): boolean {
  return item !== undefined && item.at[0] === '~';
}

/** The index of the first item that stands at or after `at`. */
function findPlace(items: readonly Item[], at: string): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle]!.at < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Put one item where it belongs; the caller knows that it is not there yet. */
export function insert(items: readonly Item[], item: Item): Item[] {
  const last = items[items.length - 1];
  if (!last || last.at < item.at) return [...items, item];
  const place = findPlace(items, item.at);
  return [...items.slice(0, place), item, ...items.slice(place)];
}

/** The index of what stands exactly at `at`, or -1. */
export function indexAt(items: readonly Item[], at: string): number {
  const place = findPlace(items, at);
  return items[place]?.at === at ? place : -1;
}

export function indexOfKey(items: readonly Item[], key: string): number {
  // Nearly always near the end: a message that is being sent, or the latest line.
  for (let index = items.length - 1; index >= 0; index--) if (items[index]!.key === key) return index;
  return -1;
}

export function replaceAt(items: readonly Item[], index: number, item: Item): Item[] {
  const copy = items.slice();
  copy[index] = item;
  return copy;
}

export function without(items: readonly Item[], key: string): Item[] {
  return items.filter((item) => item.key !== key);
}

export function parseTime(text: string | undefined, now: number): number {
  const time = text === undefined ? NaN : Date.parse(text);
  return Number.isNaN(time) ? now : time;
}

export function saidFrom(entry: Entry, mine: boolean, now: number): Said {
  return {
    kind: 'said',
    key: entry.id,
    at: entry.id,
    time: parseTime(entry.time, now),
    id: entry.id,
    cid: null,
    name: entry.username,
    sid: entry.sid ?? '',
    text: entry.msg,
    mine: mine || entry.mine === true,
    fate: 'said',
    refusal: null,
    pinned: false,
  };
}

/** Add what the log holds to what is shown: the same page merged twice adds nothing. */
export function merge(items: readonly Item[], entries: readonly Entry[], now: number): Item[] {
  const fresh = entries.filter((entry) => indexAt(items, entry.id) < 0);
  if (fresh.length === 0) return items as Item[];
  const known = new Map<string, Item>();
  for (const entry of fresh) known.set(entry.id, saidFrom(entry, false, now));
  return [...items, ...known.values()].sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
}

/** Add what is older than all that is shown; the row that was first keeps its look, so that nothing below it moves. */
export function mergeOlder(items: readonly Item[], entries: readonly Entry[], now: number): Item[] {
  const first = items.findIndex((item) => item.kind === 'said');
  const item = items[first];
  const pinned = item?.kind === 'said' && !item.pinned ? replaceAt(items, first, { ...item, pinned: true }) : items;
  return merge(pinned, entries, now);
}

/** The oldest message that the log knows, after which older ones lie. */
export function oldestId(items: readonly Item[]): string | null {
  for (const item of items) if (item.kind === 'said' && item.id !== null) return item.id;
  return null;
}

/** Whether there is anything to read; the welcome shows joins and the user's name as well. */
export function hasTalk(items: readonly Item[]): boolean {
  return items.some((item) => item.kind === 'said' || item.kind === 'whisper' || (item.kind === 'note' && item.note.code === 'answer'));
}

/** Add a grey line of the page's own after a message; by default, after everything that is known. */
export function remark(state: State, note: NoteText, id = lastId(state)): State {
  const serial = state.serial + 1;
  const item: Note = {
    kind: 'note',
    key: `n${serial}`,
    at: placeAfter(id, serial),
    time: state.now,
    note,
  };
  return { ...state, serial, items: insert(state.items, item) };
}

/** The newest id that is known, whether by a frame or by an ack. */
export function lastId(state: State): string {
  if (state.newer !== 'none') return state.live;
  for (let index = state.items.length - 1; index >= 0; index--) {
    const item = state.items[index]!;
    if (!isPending(item)) return item.at.split('~')[0]!;
  }
  return state.seen;
}

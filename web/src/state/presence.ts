/**
 * Joins and leaves as grey lines: at most one line per minute, nothing about people who are back within ten seconds, and
 * in a crowd only those who have sent a message.
 */

import type { Pair } from '../wire';
import { indexOfKey, insert, isPending, lastId, placeAfter, replaceAt } from './timeline';
import type { Item, Presence, State } from './types';

export const LINE_MS = 60_000;
/** between two lines, even if a rename needs one */
export const PACE_MS = 5_000;
export const RETURN_MS = 10_000;
export const CROWD = 20;

/**
 * Note who joined and left; `show` makes the lines. `before` is how many people there were: when a crowd leaves, no one is
 * named, although few are left.
 */
export function note(state: State, before: number, joined: readonly Pair[], left: readonly Pair[]): State {
  let came = [...state.came];
  let leaving = [...state.leaving];
  const crowdAt = Math.max(before, state.count) > CROWD ? state.now : state.crowdAt;
  const known = (name: string): boolean => crowdAt + RETURN_MS <= state.now || state.senders.has(name);
  for (const [name, sid] of left) {
    if (sid === state.sid || !known(name)) continue;
    // Joined and left before either was shown: nothing to show.
    if (came.includes(name)) came = came.filter((other) => other !== name);
    else leaving.push({ name, at: state.now });
  }
  for (const [name, sid] of joined) {
    if (sid === state.sid) continue;
    if (leaving.some((other) => other.name === name)) leaving = leaving.filter((other) => other.name !== name);
    else if (known(name)) came.push(name);
  }
  return { ...state, came, leaving, crowdAt };
}

/**
 * Show what is due: extend this minute's line while it is still the last row, or begin a new one when its minute is over.
 * What cannot wait gets a new line sooner, or right after the last one is added to that, wherever it is.
 */
export function show(state: State, cannotWait = false): State {
  const gone = state.leaving.filter((one) => one.at + RETURN_MS <= state.now).map((one) => one.name);
  if (state.came.length === 0 && gone.length === 0) return state;
  const current = state.presence;
  const shown = { ...state, came: [], leaving: state.leaving.filter((one) => one.at + RETURN_MS > state.now) };
  if (current && state.now < current.since + (cannotWait ? PACE_MS : LINE_MS)) {
    const index = indexOfKey(state.items, current.key);
    const line = state.items[index];
    if (line?.kind !== 'presence' || !(cannotWait || isLast(state.items, index))) return state;
    const back = new Set(state.came);
    const came = [...new Set([...line.came, ...back])];
    const longer: Presence = { ...line, came, left: [...line.left.filter((name) => !back.has(name)), ...gone] };
    return { ...shown, items: replaceAt(state.items, index, longer) };
  }
  const serial = state.serial + 1;
  const line: Presence = {
    kind: 'presence',
    key: `p${serial}`,
    at: placeAfter(lastId(state), serial),
    time: state.now,
    came: [...state.came],
    left: gone,
  };
  return { ...shown, serial, items: insert(state.items, line), presence: { key: line.key, since: state.now } };
}

/**
 * Before a rename is shown: the leave of whoever had the new name is due now, and someone whose join is not shown yet
 * will be shown under it. The second result says so: their rename needs no line of its own.
 */
export function beforeRename(state: State, from: string, to: string): [State, boolean] {
  if (state.came.includes(from)) return [{ ...state, came: state.came.map((name) => (name === from ? to : name)) }, true];
  if (!state.leaving.some((one) => one.name === to)) return [state, false];
  const leaving = state.leaving.map((one) => (one.name === to ? { ...one, at: -Infinity } : one));
  return [show({ ...state, leaving }, true), false];
}

/** When `show` is next due, if nothing else happens. */
export function nextShowing(state: State): number | null {
  const due = state.leaving.map((one) => one.at + RETURN_MS);
  if (state.came.length > 0) due.push(state.now);
  if (due.length === 0) return null;
  const soonest = Math.min(...due);
  return state.presence ? Math.max(soonest, openUntil(state)) : soonest;
}

function openUntil(state: State): number {
  const current = state.presence!;
  const end = current.since + LINE_MS;
  if (state.now >= end) return 0;
  return isLast(state.items, indexOfKey(state.items, current.key)) ? 0 : end;
}

/** Whether no row but pending messages comes after it: these are always at the end. */
function isLast(items: readonly Item[], index: number): boolean {
  if (index < 0) return false;
  for (let next = index + 1; next < items.length; next++) if (!isPending(items[next])) return false;
  return true;
}

/** What is drawn, derived from the state: rows, the bar, the title, and when the page next has something to do by itself. */

import { nextTelling } from './presence';
import { AWAY_SHOWN_MS } from './reduce';
import { hasTalk } from './timeline';
import type { Item, State } from './types';

const GROUP_MS = 5 * 60_000;
const CONNECTING_MS = 1_000;

export type Row =
  | { kind: 'day'; key: string; time: number }
  | {
      kind: 'item';
      key: string;
      item: Item;
      /** begins a group: shows the name */
      head: boolean;
      /** ends a group */
      tail: boolean;
      /** the line "New" stands above it */
      fresh: boolean;
    };

/** The rows of the list; a day's first is led by its date, and what one person says in one go stands together. */
export function rows(items: readonly Item[], lineAt: string | null): Row[] {
  const list: Row[] = [];
  let previous: Item | null = null;
  let day = '';
  for (const item of items) {
    const today = new Date(item.time).toDateString();
    // What is not said yet, or has no time of the server's, begins no new day by itself.
    const newDay = today !== day && (item.kind === 'said' || item.kind === 'whisper') && item.fate === 'said';
    if (newDay) {
      list.push({ kind: 'day', key: `d${item.key}`, time: item.time });
      day = today;
    }
    const fresh = item.key === lineAt;
    const head = newDay || fresh || !follows(previous, item);
    const before = list[list.length - 1];
    if (!head && before?.kind === 'item') before.tail = false;
    list.push({ kind: 'item', key: item.key, item, head, tail: true, fresh });
    previous = item;
  }
  return list;
}

function follows(previous: Item | null, item: Item): boolean {
  if (previous?.kind === 'whisper' && item.kind === 'whisper') {
    return previous.name === item.name && previous.to === item.to && item.time - previous.time < GROUP_MS;
  }
  return (
    previous?.kind === 'said' &&
    item.kind === 'said' &&
    !item.pinned &&
    previous.name === item.name &&
    previous.mine === item.mine &&
    item.time - previous.time < GROUP_MS
  );
}

export type Bar = { code: 'connecting' } | { code: 'reconnecting' } | { code: 'back'; count: number };

export function bar(state: State): Bar | null {
  const { link, now } = state;
  if (link.at === 'opening' && now - link.since >= CONNECTING_MS) return { code: 'connecting' };
  if (link.at === 'away' && now - link.since >= AWAY_SHOWN_MS) return { code: 'reconnecting' };
  if (link.at === 'here' && state.back) return { code: 'back', count: state.back.count };
  return null;
}

/** Seconds until one may speak again, or 0. */
export function countdown(state: State): number {
  return state.quietFor === 'rate' && state.quietUntil > state.now ? Math.ceil((state.quietUntil - state.now) / 1000) : 0;
}

/** What stands in the middle of a room in which nothing was said yet. */
export type Mood = 'opening' | 'alone' | 'company' | 'talk';

export function mood(state: State): Mood {
  if (hasTalk(state.items)) return 'talk';
  if (state.name === '') return 'opening';
  return state.people.size > 1 || state.count > 1 ? 'company' : 'alone';
}

/** People as they are listed: oneself first, then by name. */
export function listed(people: ReadonlyMap<string, string>, sid: string, compare: (one: string, other: string) => number) {
  const others = [...people].filter(([other]) => other !== sid).map(([other, name]) => ({ sid: other, name }));
  others.sort((one, other) => compare(one.name, other.name));
  const own = people.get(sid);
  return own === undefined ? others : [{ sid, name: own }, ...others];
}

/** The window's title: how often one was spoken to, else a dot for anything unread. */
export function title(state: State): string {
  if (state.mentions > 0) return `(${state.mentions}) ${state.room}`;
  return state.unread > 0 ? `• ${state.room}` : state.room;
}

/** When something changes without anybody doing anything; null: never. */
export function wakeAt(state: State): number | null {
  const { now, link } = state;
  const moments: number[] = [];
  if (link.at === 'opening') moments.push(link.since + CONNECTING_MS);
  if (link.at === 'away') moments.push(link.since + AWAY_SHOWN_MS);
  if (state.back) moments.push(state.back.until);
  if (state.quietFor !== null) {
    moments.push(state.quietUntil);
    // The count in the composer changes each second.
    if (state.quietFor === 'rate') moments.push(state.quietUntil - (countdown(state) - 1) * 1000);
  }
  for (const until of state.typing.values()) moments.push(until);
  const telling = nextTelling(state);
  if (telling !== null) moments.push(telling);
  const ahead = moments.filter((moment) => moment > now);
  return ahead.length > 0 ? Math.min(...ahead) : null;
}

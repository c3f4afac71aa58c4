/** What is drawn, derived from the state: rows, the bar, the title; and when the page must next act by itself. */

import { isBlank } from '../lib/blank';
import { read } from '../lib/typed';
import { nextShowing } from './presence';
import { AWAY_SHOWN_MS } from './arrival';
import { ABSENT_MS, draftOf } from './targets';
import { hasTalk, indexAt } from './timeline';
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

/** The rows made before. A row with the same item and look is the same object, so that only changed rows are drawn. */
const made = new WeakMap<Item, Row & { kind: 'item' }>();

/**
 * The rows of the list: the first message of a day has the day above it, and successive messages of one person are a group.
 * A message on its way has no row while there is one of what is probably its stored copy.
 */
export function rowsOf(all: readonly Item[], lineAt: string | null): Row[] {
  const items = all.filter((item) => item.kind !== 'said' || item.fate !== 'sending' || indexAt(all, item.copy ?? '') < 0);
  const list: Row[] = [];
  let day = { from: NaN, to: NaN };
  let begins = begin(0);

  function begin(index: number): { day: boolean; head: boolean } {
    const item = items[index];
    if (!item) return { day: false, head: true };
    const isNew = isDated(item) && !(item.time >= day.from && item.time < day.to);
    if (isNew) day = dayOf(item.time);
    return { day: isNew, head: isNew || item.key === lineAt || !follows(items[index - 1], item) };
  }

  items.forEach((item, index) => {
    const now = begins;
    begins = begin(index + 1);
    if (now.day) {
      // Grey lines begin no day, but belong to one.
      const { from, to } = dayOf(item.time);
      let place = index;
      while (place > 0 && !isDated(items[place - 1]!) && items[place - 1]!.time >= from && items[place - 1]!.time < to) place -= 1;
      place += list.length - index;
      list.splice(place, 0, { kind: 'day', key: `d${item.key}`, time: item.time });
    }
    const { head } = now;
    const tail = begins.head;
    const fresh = item.key === lineAt;
    let row = made.get(item);
    if (!row || row.head !== head || row.tail !== tail || row.fresh !== fresh) {
      row = { kind: 'item', key: item.key, item, head, tail, fresh };
      made.set(item, row);
    }
    list.push(row);
  });
  return list;
}

/** Whether it may begin a day: not a message on its way, nor a grey line. */
function isDated(item: Item): boolean {
  return (item.kind === 'said' || item.kind === 'whisper') && item.fate === 'said';
}

function dayOf(time: number): { from: number; to: number } {
  const midnight = new Date(time);
  midnight.setHours(0, 0, 0, 0);
  const next = new Date(midnight);
  next.setDate(next.getDate() + 1);
  return { from: midnight.getTime(), to: next.getTime() };
}

/** Whether so little lies between two; a server's clock may have gone back meanwhile. */
function isNear(previous: Item, item: Item): boolean {
  return Math.abs(item.time - previous.time) < GROUP_MS;
}

function follows(previous: Item | undefined, item: Item): boolean {
  if (previous?.kind === 'whisper' && item.kind === 'whisper') {
    return previous.name === item.name && previous.to === item.to && isNear(previous, item);
  }
  return (
    previous?.kind === 'said' &&
    item.kind === 'said' &&
    !item.pinned &&
    previous.name === item.name &&
    previous.mine === item.mine &&
    isNear(previous, item)
  );
}

export type Bar = { code: 'connecting' | 'reconnecting' | 'unstored' } | { code: 'back'; count: number };

export function bar(state: State): Bar | null {
  const { link, now } = state;
  if (link.at === 'opening' && now - link.since >= CONNECTING_MS) return { code: 'connecting' };
  if (link.at === 'away' && now - link.since >= AWAY_SHOWN_MS) return { code: 'reconnecting' };
  if (link.at !== 'here') return null;
  if (state.back) return { code: 'back', count: state.back.count };
  return state.quietFor === 'retry' ? { code: 'unstored' } : null;
}

/** Seconds until the user may send again, or 0. */
export function countdown(state: State): number {
  return state.quietFor === 'rate' && state.quietUntil > state.now ? Math.ceil((state.quietUntil - state.now) / 1000) : 0;
}

/** The length that the server counts: characters, not UTF-16 units. */
export function lengthOf(text: string): number {
  return [...text.trim()].length;
}

/** Whether the draft can be sent, now or when its turn comes. */
export function isReady(state: State): boolean {
  const draft = draftOf(state);
  const fits = !isBlank(draft) && lengthOf(draft) <= state.limits.text;
  return fits && (!state.partner?.gone || read(draft).kind === 'to') && state.link.at !== 'shut';
}

/** What is shown in the middle of a room without messages; `talk`: there are messages. */
export type Mood = 'opening' | 'alone' | 'company' | 'talk';

export function mood(state: State): Mood {
  if (hasTalk(state.items)) return 'talk';
  if (state.name === '' || state.newer === 'jumping') return 'opening';
  return state.people.size > 1 || state.count > 1 ? 'company' : 'alone';
}

/** The people in the order of the list: the user first, then by name. */
export function listed(people: ReadonlyMap<string, string>, sid: string, compare: (one: string, other: string) => number) {
  const others = [...people].filter(([other]) => other !== sid).map(([other, name]) => ({ sid: other, name }));
  others.sort((one, other) => compare(one.name, other.name));
  const own = people.get(sid);
  return own === undefined ? others : [{ sid, name: own }, ...others];
}

/**
 * The window's title: how often the user was mentioned, else a dot for anything unread.
 *
 * @param room the room's name as the page shows it
 */
export function title(state: State, room: string): string {
  if (state.mentions > 0) return `(${state.mentions}) ${room}`;
  return state.unread > 0 ? `• ${room}` : room;
}

/** When the view next changes without an event; null: never. */
export function wakeAt(state: State): number | null {
  const { now, link } = state;
  const moments: number[] = [];
  if (link.at === 'opening') moments.push(link.since + CONNECTING_MS);
  if (link.at === 'away') moments.push(link.since + AWAY_SHOWN_MS);
  if (state.back) moments.push(state.back.until);
  if (state.partner?.left !== undefined) moments.push(state.partner.left + ABSENT_MS);
  // The count in the composer changes each second.
  moments.push(state.quietUntil - ((countdown(state) || 1) - 1) * 1000);
  for (const until of state.typing.values()) moments.push(until);
  const showing = nextShowing(state);
  if (showing !== null) moments.push(showing);
  const ahead = moments.filter((moment) => moment > now);
  return ahead.length > 0 ? Math.min(...ahead) : null;
}

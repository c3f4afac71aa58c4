/** Joining a room: at first, again after the connection was lost, or another room; and the pages of what was missed. */

import { read } from '../lib/typed';
import type { Entry, Limits, Login } from '../wire';
import { followRecipients, giveUp, isUnsent, takeBack } from './outbox';
import { idsOf } from './own';
import { chatIn, chatsBehind, followPeople, holdsWhisper } from './targets';
import { NO_ID, indexAt, merge, remark } from './timeline';
import type { Item, State } from './types';
import { unreadBy } from './unread';

const BACK_MS = 4_000;
/** A shorter absence than this is not shown. */
export const AWAY_SHOWN_MS = 2_000;
/** How many names `senders` has at most; the oldest are dropped. */
const MOST_SENDERS = 2_000;

/** The user has joined a room: for the first time, again after a cut, or another room. */
export function entered(state: State, frame: Login): State {
  const you = frame.you!;
  const moved = state.link.at === 'here';
  const left = moved ? takeBack(state) : state;
  const chats = chatsBehind(left);
  const before = moved ? { ...left, ...nothingShown(), ...chatIn(frame.room ?? state.room, chats), chats, held: state.held || holdsWhisper(left) } : state;
  const first = moved || before.name === '';
  const asked = !first && before.seen !== NO_ID;
  const away = before.link.at === 'away' ? before.link.since : null;

  const { items, serial } = you.gap && asked ? remark(before, { code: 'gap' }) : before;
  const merged = missed(before, items, you.history);
  const last = you.history[you.history.length - 1]?.id ?? before.seen;
  const replaying = you.more && asked && !you.gap && you.history.length > 0;
  const people = new Map((frame.name_list ?? []).map(([name, sid]) => [sid, name] as const));
  people.set(you.sid, you.username);

  let next: State = {
    ...before,
    room: frame.room ?? before.room,
    link: { at: 'here' },
    sid: you.sid,
    name: you.username,
    token: you.token,
    people,
    count: frame.count ?? people.size,
    limits: readLimits(before.limits, you.limits),
    items: merged.items,
    serial,
    seen: last > before.seen ? last : before.seen,
    live: last > before.live ? last : before.live,
    catchUp: replaying ? last : null,
    older: asked && !you.gap ? before.older : you.history.length > 0 ? 'more' : 'none',
    // The server has left the history out, because too much waited for this page.
    newer: first && you.gap && you.history.length === 0 ? 'jumping' : before.newer,
    ...nothingUnderWay(),
    senders: remember(before.senders, you.history.map((entry) => entry.username)),
  };
  next = withName(next);
  if (!you.resumed && next.doubtful !== null) {
    // The identity has changed: the server would not recognise the message, so the page must not send it again by itself.
    next = { ...giveUp(next, next.doubtful), doubtful: null };
  }
  next = followRecipients(followPeople(next));
  if (first ? you.history.length > 0 : before.name !== next.name) next = remark(next, { code: 'you_are', name: next.name });
  if (first) return next;

  const since = away ?? state.now;
  next = unreadBy(next, merged.added, merged.fresh);
  return replaying ? { ...next, returning: { since, count: merged.added } } : returned(next, since, merged.added);
}

/** What a room is before anything of it is shown. */
export function nothingShown() {
  return {
    items: [],
    seen: NO_ID,
    live: NO_ID,
    catchUp: null,
    older: 'none',
    newer: 'none',
    ahead: [],
    reading: null,
    unread: 0,
    mentions: 0,
    lineAt: null,
    presence: null,
    senders: new Set(),
    atBottom: true,
    problem: null,
  } satisfies Partial<State>;
}

/** What a new connection, or another room, puts an end to. */
export function nothingUnderWay() {
  return { inFlight: null, quietUntil: 0, quietFor: null, tries: 0, came: [], leaving: [], crowdAt: -Infinity, typing: new Map() } satisfies Partial<State>;
}

function returned(state: State, since: number, count: number): State {
  const shown = state.now - since >= AWAY_SHOWN_MS || count > 0;
  return { ...state, returning: null, back: shown ? { count, until: state.now + BACK_MS } : null };
}

/**
 * Put missed messages in their place; if the list does not reach the newest messages, they are only counted.
 *
 * The user's own messages were not missed. If the answer to the last one was lost, it is recognised by its text and name:
 * history has no `cid`.
 */
function missed(state: State, items: readonly Item[], replay: readonly Entry[]): { items: readonly Item[]; added: number; fresh: string | null } {
  const ids = idsOf(state);
  let copy: string | undefined;
  items = items.map((item) => {
    if (item.kind !== 'said' || item.key !== state.doubtful || item.fate !== 'sending' || item.copy) return item;
    const { text } = read(item.text);
    copy = replay.find(({ id, username, msg }) => id > state.seen && !ids.has(id) && username === item.name && msg === text)?.id;
    return { ...item, copy };
  });
  const entries = replay.map((entry) => (ids.has(entry.id) || entry.id === copy ? { ...entry, mine: true } : entry));
  const news = entries.filter(({ id, mine }) => !mine && indexAt(items, id) < 0);
  const fresh = news[0]?.id ?? null;
  return { items: state.newer === 'none' ? merge(items, entries, state.now) : items, added: news.length, fresh };
}

/** A further page of the replay; live frames may have come before it. */
export function caughtUp(state: State, entries: readonly Entry[], more: boolean): State {
  const merged = missed(state, state.items, entries);
  const last = entries[entries.length - 1]?.id ?? state.seen;
  const goesOn = more && entries.length > 0;
  const seen = last > state.seen ? last : state.seen;
  const next: State = {
    ...state,
    items: merged.items,
    seen: goesOn || state.live < seen ? seen : state.live,
    catchUp: goesOn ? last : null,
    senders: remember(state.senders, entries.map((entry) => entry.username)),
  };
  const returning = state.returning;
  const counted = unreadBy(next, merged.added, returning?.count === 0 ? merged.fresh : null);
  if (!returning) return counted;
  const count = returning.count + merged.added;
  return goesOn ? { ...counted, returning: { ...returning, count } } : returned(counted, returning.since, count);
}

/** Show waiting messages under the present name: they will be sent under it, not under the name that they were written under. */
export function withName(state: State): State {
  if (!state.items.some(isUnsent)) return state;
  const items = state.items.map((item) => (isUnsent(item) ? { ...item, name: state.name } : item));
  return { ...state, items };
}

/** Add to the names whose messages the user has received. */
export function remember(senders: ReadonlySet<string>, names: readonly string[]): ReadonlySet<string> {
  const fresh = names.filter((name) => !senders.has(name));
  if (fresh.length === 0) return senders;
  const all = [...senders, ...new Set(fresh)];
  return new Set(all.slice(-MOST_SENDERS));
}

function readLimits(before: State['limits'], limits: Limits | undefined): State['limits'] {
  const number = (value: unknown, otherwise: number): number => (typeof value === 'number' && value > 0 ? value : otherwise);
  return {
    text: number(limits?.text, before.text),
    name: number(limits?.name, before.name),
    history: typeof limits?.history_entries === 'number' ? limits.history_entries : before.history,
    days: typeof limits?.history_days === 'number' ? limits.history_days : before.days,
  };
}

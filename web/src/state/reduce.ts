/**
 * `(state, event) → state`: everything that the page knows follows from here.
 * Pure: the time comes with each event, ids come from outside, and nothing is sent, drawn or stored.
 */

import { mentions } from '../lib/mention';
import { read } from '../lib/typed';
import type { Entry, Limits, Login, Notice, Pair, Rename, ServerFrame, Whisper } from '../wire';
import { answered, commanded, cutOutbox, echoWhisper, followRecipients, giveUp, isUnsent, retry, settle, takeBack, write } from './outbox';
import { recognise } from './own';
import { beforeRename, note as notePresence, tell } from './presence';
import { ABSENT_MS, changeDraft, endWhisper, followPeople, holdsWhisper, met, partnerGone, takeAside, whisperTo } from './targets';
import { NO_ID, indexAt, insert, lastId, merge, parseTime, placeBehind, remark, saidFrom, without } from './timeline';
import type { Event, Item, Kept, Shut, State, Whispered } from './types';
import { beyond, bound, latestCame, newerCame, newerFailed, olderCame, olderFailed, toEnd } from './window';

const TYPING_MS = 6_000;
const BACK_MS = 4_000;
/** A shorter absence than this is nobody's concern. */
export const AWAY_SHOWN_MS = 2_000;
/** With this many names remembered as having spoken the oldest are forgotten. */
const SPOKE_BOUND = 2_000;
const TYPING_BOUND = 50;

export function begin(room: string, token: string | null, now: number, kept: Kept = { partner: null, drafts: [] }): State {
  return {
    now,
    room,
    link: { at: 'opening', since: now },
    sid: '',
    name: '',
    token,
    people: new Map(),
    count: 0,
    limits: { text: 2000, name: 32, history: null, days: null },
    items: [],
    serial: 0,
    seen: NO_ID,
    live: NO_ID,
    catchUp: null,
    older: 'none',
    newer: 'none',
    ahead: [],
    inFlight: null,
    doubtful: null,
    quietUntil: 0,
    quietFor: null,
    tries: 0,
    problem: null,
    own: [],
    held: false,
    ...kept,
    asking: null,
    atBottom: true,
    reading: null,
    visible: true,
    heard: 0,
    unread: 0,
    mentions: 0,
    lineAt: null,
    spoke: new Set(),
    came: [],
    leaving: [],
    presence: null,
    typing: new Map(),
    back: null,
    returning: null,
  };
}

export function reduce(state: State, event: Event): State {
  const now = Math.max(state.now, event.now);
  const next = apply(now === state.now ? state : { ...state, now }, event);
  return recognise(bound(tell(expire(next))), state);
}

function apply(state: State, event: Event): State {
  switch (event.type) {
    case 'tick':
      return state;
    case 'frame':
      return framed(state, event.frame);
    case 'cut':
      return cut(state, event.since ?? state.now);
    case 'shut':
      return { ...cutOutbox(state), link: { at: 'shut', why: event.why, text: event.text }, typing: new Map() };
    case 'go': {
      const left = takeBack(state);
      return {
        ...begin(event.room, state.token, state.now, { partner: null, drafts: left.drafts, own: state.own, held: state.held || holdsWhisper(left) }),
        limits: state.limits,
        visible: state.visible,
        asking: state.asking,
      };
    }
    case 'again':
      return { ...state, link: { at: 'opening', since: state.now } };
    case 'write':
      return write(state, event.text, event.cid);
    case 'retry':
      return retry(state, event.key, event.cid, event.text);
    case 'drop':
      return { ...state, items: without(state.items, event.key) };
    case 'sent':
      return { ...state, inFlight: event.cid };
    case 'answer':
      return answered(state, event.cid, event.ack);
    case 'renamed':
      return event.ack.ok && event.ack.token !== undefined ? { ...state, token: event.ack.token } : state;
    case 'commanded':
      return commanded(state, event.ack);
    case 'caught':
      return caughtUp(state, event.entries, event.more);
    case 'older':
      return olderCame(state, event.before, event.entries, event.more);
    case 'older_asked':
      return { ...state, older: 'asking' };
    case 'older_failed':
      return olderFailed(state);
    case 'newer':
      return newerCame(state, event.after, event.entries, event.more, event.gap);
    case 'newer_asked':
      return { ...state, newer: 'asking', ahead: [] };
    case 'newer_failed':
      return newerFailed(state);
    case 'latest':
      return regarded(latestCame(state, event.entries));
    case 'to_end':
      return regarded(toEnd(state));
    case 'whisper_to':
      return whisperTo(state, { sid: event.sid, name: event.name }, event.confirmed);
    case 'whisper_end':
      return endWhisper(state);
    case 'met':
      return met(state, event.sid, event.person);
    case 'draft':
      return { ...changeDraft(state, event.target, event.text, event.over), problem: null };
    case 'aside':
      return { ...takeAside(state, event.drop), problem: null };
    case 'problem':
      return { ...state, problem: event.refusal };
    case 'scrolled':
      return regarded({ ...state, atBottom: event.atBottom, reading: event.reading ?? null });
    case 'visible':
      return regarded({ ...state, visible: event.visible });
  }
}

function framed(state: State, frame: ServerFrame): State {
  switch (frame.action) {
    case 'login':
      return frame.you ? entered(state, frame) : roster(state, [[frame.username, frame.sid]], [], frame.count);
    case 'logout':
      return roster(state, [], [[frame.username, frame.sid]], frame.count);
    case 'roster':
      return roster(state, frame.joined, frame.left, frame.count);
    case 'message':
      return heard(state, frame);
    case 'whisper':
      return whispered(state, frame);
    case 'rename':
      return renamed(state, frame);
    case 'typing':
      return typed(state, frame.username);
    case 'clear': {
      const ids = new Set(frame.ids);
      return {
        ...state,
        items: state.items.filter((item) => item.kind !== 'said' || item.id === null || !ids.has(item.id)),
        ahead: state.ahead.filter((entry) => !ids.has(entry.id)),
      };
    }
    case 'notice':
      return noticed(state, frame);
    default:
      return state;
  }
}

/** One is in a room: at first, again after a cut, or in another room than before. */
function entered(state: State, frame: Login): State {
  const you = frame.you!;
  const moved = state.link.at === 'here';
  const left = moved ? takeBack(state) : state;
  const before = moved ? { ...left, ...nothingShown(), items: [] as Item[], held: state.held || holdsWhisper(left) } : state;
  const first = moved || before.name === '';
  const asked = !first && before.seen !== NO_ID;
  const away = before.link.at === 'away' ? before.link.since : null;

  let items: readonly Item[] = before.items;
  let serial = before.serial;
  if (you.gap && asked) {
    serial += 1;
    items = insert(items, {
      kind: 'note',
      key: `n${serial}`,
      at: placeBehind(lastId(before), serial),
      time: state.now,
      note: { code: 'gap' },
    });
  }
  const known = items.length;
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
    inFlight: null,
    quietUntil: 0,
    quietFor: null,
    tries: 0,
    came: [],
    leaving: [],
    typing: new Map(),
    spoke: remember(before.spoke, you.history.map((entry) => entry.username)),
  };
  next = withName(next);
  if (!you.resumed && next.doubtful !== null) {
    // Another identity than then: the server cannot know the message again, so it must not be said by itself.
    next = giveUp(next, next.doubtful);
  }
  next = { ...next, doubtful: null };
  next = followRecipients(followPeople(next));
  if (first && you.history.length > 0) next = remark(next, { code: 'you_are', name: next.name });
  else if (!first && before.name !== '' && before.name !== next.name) next = remark(next, { code: 'you_are', name: next.name });
  if (first) return next;

  const since = away ?? state.now;
  const fresh = firstFresh(items, merged.items, known);
  next = unreadBy(next, merged.added, fresh);
  return replaying ? { ...next, returning: { since, count: merged.added } } : returned(next, since, merged.added);
}

function nothingShown(): Pick<
  State,
  'seen' | 'live' | 'catchUp' | 'older' | 'newer' | 'ahead' | 'reading' | 'unread' | 'mentions' | 'lineAt' | 'presence' | 'partner' | 'spoke' | 'atBottom' | 'problem'
> {
  return {
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
    partner: null,
    spoke: new Set(),
    atBottom: true,
    problem: null,
  };
}

/** The key of the first row that the merge brought, to draw the line above it. */
function firstFresh(before: readonly Item[], after: readonly Item[], known: number): string | null {
  if (after.length === known) return null;
  const had = new Set(before.map((item) => item.key));
  return after.find((item) => !had.has(item.key))?.key ?? null;
}

function returned(state: State, since: number, count: number): State {
  const shown = state.now - since >= AWAY_SHOWN_MS || count > 0;
  return { ...state, returning: null, back: shown ? { count, until: state.now + BACK_MS } : null };
}

/** What was missed, in its place; where the list does not reach the newest messages it is only counted. */
function missed(state: State, items: readonly Item[], entries: readonly Entry[]): { items: readonly Item[]; added: number } {
  return state.newer === 'none' ? merge(items, entries, state.now) : { items, added: entries.length };
}

/** A further page of the replay; live frames may already stand behind it. */
function caughtUp(state: State, entries: readonly Entry[], more: boolean): State {
  const merged = missed(state, state.items, entries);
  const last = entries[entries.length - 1]?.id ?? state.seen;
  const goesOn = more && entries.length > 0;
  const seen = last > state.seen ? last : state.seen;
  const next: State = {
    ...state,
    items: merged.items,
    seen: goesOn || state.live < seen ? seen : state.live,
    catchUp: goesOn ? last : null,
    spoke: remember(state.spoke, entries.map((entry) => entry.username)),
  };
  const counted = unreadBy(next, merged.added, null);
  const returning = state.returning;
  if (!returning) return counted;
  const count = returning.count + merged.added;
  return goesOn ? { ...counted, returning: { ...returning, count } } : returned(counted, returning.since, count);
}

function cut(state: State, since: number): State {
  const gone = cutOutbox({ ...olderFailed(newerFailed(state)), typing: new Map(), catchUp: null, ahead: [] });
  return gone.link.at === 'here' ? { ...gone, link: { at: 'away', since } } : gone;
}

function heard(state: State, entry: Entry): State {
  const live = entry.id > state.live ? entry.id : state.live;
  let next: State = { ...state, live, seen: state.catchUp === null && live > state.seen ? live : state.seen };
  const mine = entry.sid !== undefined && entry.sid === state.sid;
  if (mine && entry.cid !== undefined) next = settle(next, entry.cid, entry.id, entry.time);
  if (state.typing.has(entry.username)) next = { ...next, typing: dropTyping(state.typing, entry.username) };
  next = { ...next, spoke: remember(next.spoke, [entry.username]) };
  if (indexAt(next.items, entry.id) >= 0) return next;
  if (next.newer !== 'none') {
    const kept = beyond(next, entry);
    return mine ? kept : arrived(kept, entry.id, mentions(entry.msg, state.name));
  }
  const item = { ...saidFrom(entry, mine, state.now), cid: mine ? (entry.cid ?? null) : null };
  next = { ...next, items: insert(next.items, item) };
  if (mine) return next;
  return arrived(next, item.key, mentions(entry.msg, state.name));
}

function whispered(state: State, frame: Whisper): State {
  const mine = frame.username === state.name;
  if (mine) {
    const echoed = echoWhisper(state, frame.to, frame.msg);
    if (echoed) return echoed;
  }
  const serial = state.serial + 1;
  const item: Whispered = {
    kind: 'whisper',
    key: `w${serial}`,
    at: placeBehind(lastId(state), serial),
    time: parseTime(frame.time, state.now),
    cid: null,
    name: frame.username,
    to: frame.to,
    toSid: [...state.people].find(([, name]) => name === frame.to)?.[0] ?? '',
    text: frame.msg,
    mine,
    fate: 'said',
    refusal: null,
    echoed: true,
  };
  const next = { ...state, serial, items: insert(state.items, item) };
  return mine ? next : arrived(next, item.key, true);
}

/** Something by somebody else stands at the end: is it seen at once, or counted? */
function arrived(before: State, key: string, personal: boolean): State {
  const state = { ...before, heard: before.heard + 1 };
  if (state.atBottom && state.visible) return state.unread === 0 && state.lineAt !== null ? { ...state, lineAt: null } : state;
  return {
    ...state,
    unread: state.unread + 1,
    mentions: state.mentions + (personal ? 1 : 0),
    lineAt: state.unread === 0 || state.lineAt === null ? key : state.lineAt,
  };
}

function unreadBy(state: State, added: number, fresh: string | null): State {
  if (added === 0) return state;
  const lineAt = state.unread === 0 && fresh !== null ? fresh : state.lineAt;
  const unread = state.atBottom && state.visible ? state.unread : state.unread + added;
  return { ...state, lineAt, unread, heard: state.heard + added };
}

function regarded(state: State): State {
  return state.atBottom && state.visible && (state.unread > 0 || state.mentions > 0) ? { ...state, unread: 0, mentions: 0 } : state;
}

function roster(state: State, joined: readonly Pair[], left: readonly Pair[], count: number | undefined): State {
  const people = new Map(state.people);
  for (const [, sid] of left) if (sid !== state.sid) people.delete(sid);
  for (const [name, sid] of joined) people.set(sid, name);
  const next = { ...state, people, count: count ?? people.size };
  // The partner's leave has a line of its own, if they do not come back.
  const { partner } = state;
  const isAway = partner && !partner.gone && !people.has(partner.sid);
  const came = joined.filter(([name]) => !isAway || name !== partner.name);
  const gone = left.filter(([, sid]) => sid !== partner?.sid);
  return followRecipients(followPeople(notePresence(next, came, gone)));
}

function renamed(state: State, frame: Rename): State {
  const mine = frame.sid === state.sid;
  const people = new Map(state.people);
  if (people.has(frame.sid)) people.set(frame.sid, frame.to);
  const spoke = state.spoke.has(frame.username) ? remember(state.spoke, [frame.to]) : state.spoke;
  let next: State = { ...state, people, spoke };
  if (mine) next = withName({ ...next, name: frame.to, token: frame.token ?? next.token });
  next = followRecipients(followPeople(next));
  if (!mine && state.count > 20 && !state.spoke.has(frame.username)) return next;
  const [told, isTold] = beforeRename(next, frame.username, frame.to);
  return isTold ? told : remark(told, { code: 'renamed', from: frame.username, to: frame.to, mine });
}

/** What waits will be said under the name of then, not of when it was written. */
function withName(state: State): State {
  if (!state.items.some(isUnsent)) return state;
  const items = state.items.map((item) => (isUnsent(item) ? { ...item, name: state.name } : item));
  return { ...state, items };
}

function typed(state: State, name: string): State {
  if (name === state.name || (state.typing.size >= TYPING_BOUND && !state.typing.has(name))) return state;
  const typing = new Map(state.typing);
  typing.set(name, state.now + TYPING_MS);
  return { ...state, typing };
}

function dropTyping(typing: ReadonlyMap<string, number>, name: string): ReadonlyMap<string, number> {
  const rest = new Map(typing);
  rest.delete(name);
  return rest;
}

const SHUTTING: Readonly<Record<string, Shut>> = { replaced: 'replaced', kicked: 'kicked', banned: 'banned' };

function noticed(state: State, notice: Notice): State {
  const why = SHUTTING[notice.code];
  if (why) return { ...cutOutbox(state), link: { at: 'shut', why, text: notice.msg } };
  // `closing` needs no words of its own: the bar tells of it if it lasts. A hint that came too often is not missed.
  if (notice.code === 'closing' || notice.code === 'rate_limited') return state;
  // The new name, or the whisper, is a row of its own.
  if (notice.code === 'command' && state.asking && /^\/(?:name|nick|to|msg|w)\s/i.test(read(state.asking.text).text)) return state;
  return remark(state, { code: 'answer', text: notice.msg, about: notice.code });
}

function remember(spoke: ReadonlySet<string>, names: readonly string[]): ReadonlySet<string> {
  const fresh = names.filter((name) => !spoke.has(name));
  if (fresh.length === 0) return spoke;
  const all = [...spoke, ...new Set(fresh)];
  return new Set(all.slice(-SPOKE_BOUND));
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

/** What only lasts a while is over. */
function expire(state: State): State {
  let next = state;
  if (next.back && next.back.until <= next.now) next = { ...next, back: null };
  if (next.partner?.left !== undefined && next.partner.left + ABSENT_MS <= next.now) next = partnerGone(next);
  if (next.quietFor !== null && next.quietUntil <= next.now) next = { ...next, quietFor: null };
  if ([...next.typing.values()].some((until) => until <= next.now)) {
    next = { ...next, typing: new Map([...next.typing].filter(([, until]) => until > next.now)) };
  }
  return next;
}

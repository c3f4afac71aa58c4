/**
 * `(state, event) → state`: all changes of the page's state.
 * Pure: the time comes with each event, ids come from outside, and nothing is sent, drawn or stored.
 */

import { mentions } from '../lib/mention';
import { read } from '../lib/typed';
import type { Entry, Notice, Pair, Rename, ServerFrame, Whisper } from '../wire';
import { caughtUp, entered, nothingShown, nothingUnderWay, remember, withName } from './arrival';
import { answered, commanded, cutOutbox, echoWhisper, followRecipients, retry, settle, takeBack, write } from './outbox';
import { recognise } from './own';
import { beforeRename, note as notePresence, show as showPresence } from './presence';
import { ABSENT_MS, changeDraft, chatIn, chatsBehind, endWhisper, followPeople, holdsWhisper, met, partnerGone, takeAside, whisperTo } from './targets';
import { indexAt, insert, lastId, parseTime, placeAfter, remark, saidFrom, without } from './timeline';
import type { Event, Kept, State, Whispered } from './types';
import { arrived, markRead } from './unread';
import { beyond, bound, latestCame, newerCame, newerFailed, olderCame, olderFailed, toEnd } from './window';

const TYPING_MS = 6_000;
const TYPING_BOUND = 50;

export function begin(room: string, token: string | null, now: number, kept: Kept = { partner: null, drafts: [] }): State {
  return {
    now,
    room,
    link: { at: 'opening', since: now },
    refusedUntil: 0,
    sid: '',
    name: '',
    token,
    people: new Map(),
    count: 0,
    limits: { text: 2000, name: 32, history: null, days: null },
    serial: 0,
    ...nothingShown(),
    ...nothingUnderWay(),
    doubtful: null,
    own: [],
    chats: [],
    whispered: kept.partner !== null,
    whisperedAt: -Infinity,
    held: false,
    ...kept,
    asking: null,
    visible: true,
    received: 0,
    back: null,
    returning: null,
  };
}

export function reduce(state: State, event: Event): State {
  const now = Math.max(state.now, event.now);
  const next = apply(now === state.now ? state : { ...state, now }, event);
  return recognise(bound(showPresence(expire(next))), state);
}

function apply(state: State, event: Event): State {
  switch (event.type) {
    case 'tick':
      return state;
    case 'frame':
      return framed(state, event.frame);
    case 'cut':
      return cut(state, event.since ?? state.now);
    case 'wait':
      return { ...state, refusedUntil: event.until };
    case 'shut':
      return { ...cutOutbox(state), link: { at: 'shut', why: event.why }, typing: new Map() };
    case 'go': {
      const left = takeBack(state);
      const chats = chatsBehind(left);
      return {
        ...begin(event.room, state.token, state.now, { ...chatIn(event.room, chats), chats, drafts: left.drafts, own: state.own, held: state.held || holdsWhisper(left) }),
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
      return markRead(latestCame(state, event.entries));
    case 'to_end':
      return markRead(toEnd(state));
    case 'whisper_to':
      return followPeople(whisperTo(state, { sid: event.sid, name: state.people.get(event.sid) ?? event.name }, event.confirmed));
    case 'whisper_end':
      return endWhisper(state);
    case 'met':
      return met(state, event.sid, event.person);
    case 'draft':
      return { ...changeDraft(state, event.target, event.text, event.over), problem: null };
    case 'aside':
      return { ...takeAside(state, event.drop), problem: null };
    case 'held':
      return { ...state, held: true };
    case 'problem':
      return { ...state, problem: event.refusal };
    case 'scrolled':
      return markRead({ ...state, atBottom: event.atBottom, reading: event.reading ?? null });
    case 'visible':
      return markRead({ ...state, visible: event.visible });
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
      return received(state, frame);
    case 'whisper':
      return whispered(state, frame);
    case 'rename':
      return renamed(state, frame);
    case 'typing':
      return typed(state, frame.username);
    case 'notice':
      return noticed(state, frame);
    default:
      return state;
  }
}

function cut(state: State, since: number): State {
  const gone = cutOutbox({ ...olderFailed(newerFailed(state)), typing: new Map(), catchUp: null, ahead: [] });
  return gone.link.at === 'here' ? { ...gone, link: { at: 'away', since } } : gone;
}

function received(state: State, entry: Entry): State {
  const live = entry.id > state.live ? entry.id : state.live;
  let next: State = { ...state, live, seen: state.catchUp === null && live > state.seen ? live : state.seen };
  const mine = entry.sid !== undefined && entry.sid === state.sid;
  if (mine && entry.cid !== undefined) next = settle(next, entry.cid, entry.id, entry.time);
  if (state.typing.has(entry.username)) next = { ...next, typing: dropTyping(state.typing, entry.username) };
  next = { ...next, senders: remember(next.senders, [entry.username]) };
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
  const sidOf = (called: string): string => [...state.people].find(([, name]) => name === called)?.[0] ?? '';
  const serial = state.serial + 1;
  const item: Whispered = {
    kind: 'whisper',
    key: `w${serial}`,
    at: placeAfter(lastId(state), serial),
    time: parseTime(frame.time, state.now),
    cid: null,
    name: frame.username,
    sid: sidOf(frame.username),
    to: frame.to,
    toSid: sidOf(frame.to),
    text: frame.msg,
    mine,
    fate: 'said',
    refusal: null,
    echoed: true,
  };
  const next = { ...state, serial, items: insert(state.items, item), whisperedAt: state.now };
  return mine ? next : arrived(next, item.key, true);
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
  return followRecipients(followPeople(notePresence(next, state.count, came, gone)));
}

function renamed(state: State, frame: Rename): State {
  const mine = frame.sid === state.sid;
  const people = new Map(state.people);
  if (people.has(frame.sid)) people.set(frame.sid, frame.to);
  const senders = state.senders.has(frame.username) ? remember(state.senders, [frame.to]) : state.senders;
  let next: State = { ...state, people, senders };
  if (mine) next = withName({ ...next, name: frame.to });
  next = followRecipients(followPeople(next));
  if (!mine && state.count > 20 && !state.senders.has(frame.username)) return next;
  const [shown, isShown] = beforeRename(next, frame.username, frame.to);
  return isShown ? shown : remark(shown, { code: 'renamed', from: frame.username, to: frame.to, mine });
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

function noticed(state: State, notice: Notice): State {
  if (notice.code === 'replaced') return { ...cutOutbox(state), link: { at: 'shut', why: 'replaced' } };
  // `closing` needs no row: the bar shows a lost connection. Notices of rate limits are not shown either.
  if (notice.code === 'closing' || notice.code === 'rate_limited') return state;
  // The new name, or the whisper, has a row of its own.
  if (notice.code === 'command' && state.asking && /^\/(?:name|nick|to|msg|w)\s/i.test(read(state.asking.text).text)) return state;
  return remark(state, { code: 'answer', text: notice.msg, about: notice.code });
}

/** Remove what is shown for a limited time only. */
function expire(state: State): State {
  let next = state;
  if (next.back && next.back.until <= next.now) next = { ...next, back: null };
  if (next.partner?.left !== undefined && next.partner.left + ABSENT_MS <= next.now) next = partnerGone(next);
  if ([...next.typing.values()].some((until) => until <= next.now)) {
    next = { ...next, typing: new Map([...next.typing].filter(([, until]) => until > next.now)) };
  }
  return next;
}

/**
 * Messages that are written and not yet acknowledged.
 *
 * They are sent one at a time, each after the answer to the one before, so that their order holds over refusals and
 * broken connections. The server sends a message once, however often the page retries it with the same `cid`. The page
 * never retries a whisper by itself, because the name may be someone else's by then.
 */

import type { Ack, Entry, Refusal } from '../wire';
import { read } from '../lib/typed';
import { remember } from './own';
import { LEFT, OTHER, aimAt, alreadyPrivate, asksToConfirm, calledNow, draftOf, keepDraft, mayAnswer, partnerGone, returnDraft, targetOf } from './targets';
import { indexAt, indexOfKey, insert, isPending, lastId, parseTime, placeAfter, placeAtEnd, replaceAt, without } from './timeline';
import type { Item, Said, State, Whispered } from './types';
import { beyond, toEnd } from './window';

/** After so many answers `unavailable` in a row, the user must decide. */
export const TRIES = 6;
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 10_000;
const RATE_MS = 1_000;
/** The page sends only strings, so `bad_request` can only be about their characters. */
const FOR_GOOD: ReadonlySet<string> = new Set(['bad_request', 'empty', 'too_long']);

const OFFLINE: Refusal = { ok: false, code: 'offline', msg: '' };
const HASTE: Refusal = { ok: false, code: 'rate_limited', msg: '' };
/** A confirmation that comes sooner was typed before the question was read, as `CONFIRM_S` in `chatroom/core/expected.py`. */
export const CONFIRM_MS = 1500;

/** The commands that send a whisper. */
const WHISPERS = /^\/(?:to|msg|w|tell|whisper|dm|pm)\s/i;

export type Outgoing = Said | Whispered;

/** Whether the text itself was refused, so that sending it again is useless. */
export function isForGood(refusal: Refusal | null): boolean {
  return refusal !== null && FOR_GOOD.has(refusal.code);
}

/** Whether it may be only a whisper keyword: such a text has at most 16 characters. */
export function mayBeKeyword(out: Outgoing): boolean {
  return out.kind === 'said' && out.text.length <= 16;
}

/**
 * Send a message: it is shown at once and waits for its turn. `to:NAME` changes the target instead, and a command is
 * sent at once. A text that cannot be sent now stays in its draft.
 */
export function write(before: State, text: string, cid: string): State {
  const { partner } = before;
  const typed = read(text);
  const target = targetOf(before);
  if (typed.kind === 'to') return aimAt(before, typed.text);
  if (partner?.gone) return before;
  if (typed.kind === 'command') {
    if (before.asking) return { ...returnDraft(keepDraft(before, target, ''), target, text), problem: HASTE };
    // It is unknown whether it was done. With the same `cid`, it is done once.
    if (before.problem?.cid !== undefined && before.problem.text === text) cid = String(before.problem.cid);
    const whisperedAt = WHISPERS.test(typed.text) ? before.now : before.whisperedAt;
    return { ...keepDraft(before, target, ''), asking: { target, text, cid, at: placeAtEnd(before.serial) }, held: false, problem: null, whisperedAt };
  }
  // A user who types `//` or `/say` need not confirm.
  if (before.held && typed.text === text && partner?.left !== undefined) return partnerGone(before);
  if ((before.held || mayAnswer(before)) && typed.text === text && !isConfirmed(before)) {
    const problem = { ...(asksToConfirm(before) ?? { ok: false, code: 'confirm', msg: '', name: partner?.name }), at: before.now };
    return { ...before, problem };
  }
  const state = keepDraft(before, target, '');
  const serial = state.serial + 1;
  const shared = { key: cid, at: placeAtEnd(serial), time: state.now, cid, name: state.name, sid: state.sid, mine: true, refusal: null, text, fate: 'sending' } as const;
  const item: Outgoing = partner
    ? { ...shared, kind: 'whisper', to: partner.name, toSid: partner.sid, confirmed: partner.confirmed, echoed: false }
    : { ...shared, kind: 'said', id: null, pinned: false };
  return toEnd({ ...state, serial, items: insert(state.items, item), held: false, problem: null, whisperedAt: partner ? state.whisperedAt : -Infinity, lineAt: null, unread: 0, mentions: 0 });
}

/** Whether the same text is sent again, long enough after the question to have read it; another text needs a question of its own. */
function isConfirmed(state: State): boolean {
  const question = asksToConfirm(state);
  return question !== null && state.now - (question.at as number) >= CONFIRM_MS;
}

/** The message to send now, or null. */
export function nextOut(state: State): Outgoing | null {
  if (state.link.at !== 'here' || state.inFlight !== null || state.now < state.quietUntil) return null;
  const [item] = waiting(state);
  return item && !(state.asking && item.at > state.asking.at) ? item : null;
}

/** The command was answered; null: its outcome is unknown. */
export function commanded(state: State, ack: Ack | null): State {
  const { asking } = state;
  if (!asking) return state;
  const free = { ...state, asking: null };
  // `/name` brings a new token, like a rename in the sheet.
  if (ack?.ok) return { ...free, token: ack.token ?? state.token };
  return { ...returnDraft(stop(free, asking.at), asking.target, asking.text), problem: ack ?? { ...OFFLINE, cid: asking.cid, text: asking.text } };
}

/** After a refusal: messages that were written before it could be read return to their drafts, and the next text must be confirmed. */
function stop(state: State, after = ''): State {
  return { ...takeBack(state, waiting(state).filter((item) => item.at > after)), held: true };
}

/** A whisper failed: further ones to the same person return to their draft; messages to others are sent. */
function stopWhispers(state: State, sid: string): State {
  const left = waiting(state).filter((item) => item.kind === 'whisper' && item.toSid === sid);
  return { ...takeBack(state, left), held: state.held || state.partner?.sid === sid };
}

/** Whether it is the user's own and not acknowledged: on its way, or failed. */
export function isUnsent(item: Item): item is Outgoing {
  return (item.kind === 'said' || item.kind === 'whisper') && item.mine && item.fate !== 'said';
}

/** The messages on their way, oldest first: they are at the end of the list. */
export function waiting(state: State): Outgoing[] {
  const found: Outgoing[] = [];
  for (let index = state.items.length - 1; index >= 0; index--) {
    const item = state.items[index]!;
    if (!isPending(item)) break;
    if (isUnsent(item)) found.unshift(item);
  }
  return found;
}

/** Mark it as failed: it is not sent again by itself. It stays where it failed, and newer messages come below it. */
function fail(state: State, item: Outgoing, refusal: Refusal | null): State {
  const rest = without(state.items, item.key);
  const serial = state.serial + 1;
  const at = placeAfter(lastId({ ...state, items: rest }), serial);
  return { ...state, serial, items: insert(rest, { ...item, at, fate: 'failed', refusal }) };
}

/** The server answered; null: the outcome is unknown. */
export function answered(state: State, cid: string, ack: Ack | null): State {
  const free = state.inFlight === cid ? { ...state, inFlight: null, doubtful: ack ? null : state.doubtful } : state;
  const index = indexOfKey(free.items, cid);
  const item = free.items[index];
  if (!item || (item.kind !== 'said' && item.kind !== 'whisper')) return free;
  const calm = { ...free, tries: 0, quietFor: null };
  if (ack?.ok) {
    return item.kind === 'said'
      ? ack.id === undefined
        ? { ...calm, items: without(calm.items, cid) }
        : settle(calm, cid, ack.id, ack.time)
      : settleWhisper(calm, item);
  }
  if (item.fate === 'said') return free;
  if (ack?.code === 'rate_limited') {
    const wait = typeof ack.retry_after === 'number' ? ack.retry_after * 1000 : RATE_MS;
    return { ...free, quietUntil: state.now + Math.max(wait, 100), quietFor: 'rate' };
  }
  if ((ack === null || ack.code === 'unavailable') && item.kind === 'said') {
    const tries = free.tries + 1;
    if (tries < TRIES || free.link.at !== 'here') {
      const wait = ack === null ? 0 : Math.min(RETRY_MS * 2 ** (tries - 1), LONGEST_RETRY_MS);
      return { ...free, tries, quietUntil: state.now + wait, quietFor: ack && 'retry' };
    }
  }
  // For a whisper, either the recipient is missing, or its text nearly names someone else.
  const isForOther = ack?.code === 'no_such_person' && !ack.again && (item.kind === 'said' || (ack.name !== undefined && ack.name !== item.to));
  if (ack && (ack.code === 'unknown_command' || ack.held || ack.usage || isForOther)) {
    // The server takes it for a command, or for a private text: it was never a message.
    const isThere = item.kind === 'whisper' && ack.usage !== undefined && ack.name === item.to;
    const next = stop(calm);
    // Sent again as it is, it gets the server's answer again: the page promises nothing else.
    const at = draftOf(next) === item.text ? state.now : undefined;
    return { ...next, problem: isThere ? alreadyPrivate(item.to) : { ...ack, at } };
  }
  const isOther = item.kind === 'whisper' && ack?.again === true;
  const hasLeft = item.kind === 'whisper' && ack?.code === 'no_such_person' && !isOther;
  // The session has left, or the server says that the name was someone else's: another person may have it now.
  const why = isOther || (hasLeft && calledNow(state, item.to, item.toSid)) ? { ...ack, ...OTHER, at: state.now } : hasLeft ? LEFT : ack;
  const next = fail(calm, item, why);
  // The outcome is unknown, or it is in doubt who was meant.
  if (ack && ack.code !== 'no_such_person') return next;
  const stopped = item.kind === 'whisper' ? stopWhispers(next, item.toSid) : stop(next);
  return hasLeft && state.partner?.sid === item.toSid ? partnerGone(stopped) : stopped;
}

/** One of the user's own messages is stored: it moves to the place of its id, which may be beyond the rows of the list. */
export function settle(state: State, cid: string, id: string, time: string | undefined): State {
  const index = indexOfKey(state.items, cid);
  const item = state.items[index];
  if (item?.kind !== 'said' || item.id !== null) return state;
  const rest = without(state.items, cid);
  const there = indexAt(rest, id);
  if (there >= 0) {
    // The replay brought it before the ack did.
    const known = rest[there]!;
    const mine = known.kind === 'said' ? { ...known, mine: true, cid } : known;
    return { ...state, items: replaceAt(rest, there, mine) };
  }
  const { text } = read(item.text);
  if (state.newer !== 'none') {
    // In the list, it would hide that messages before it are missing.
    const entry: Entry = { action: 'message', username: item.name, msg: text, id, time: time ?? new Date(item.time).toISOString() };
    return beyond(remember({ ...state, items: rest }, [id]), entry);
  }
  const said: Said = { ...item, id, at: id, time: parseTime(time, item.time), fate: 'said', refusal: null, text };
  return { ...state, items: insert(rest, said) };
}

/** Whispers have no id: one that is acknowledged stays after the newest message of that moment. */
function settleWhisper(state: State, item: Whispered): State {
  if (item.fate === 'said') return state;
  const rest = without(state.items, item.key);
  const serial = state.serial + 1;
  const at = placeAfter(lastId({ ...state, items: rest }), serial);
  return { ...state, serial, items: insert(rest, { ...item, at, fate: 'said', refusal: null, text: read(item.text).text }) };
}

/** The frame of one of the user's own whispers came: it belongs to the oldest one with this text that has no frame yet. */
export function echoWhisper(state: State, to: string, text: string): State | null {
  const index = state.items.findIndex(
    (item) =>
      item.kind === 'whisper' && item.mine && !item.echoed && item.to === to && (item.fate === 'said' ? item.text : read(item.text).text) === text,
  );
  if (index < 0) return null;
  const item = state.items[index] as Whispered;
  const marked = { ...item, echoed: true };
  const echoed = { ...state, items: replaceAt(state.items, index, marked) };
  return settleWhisper(echoed, marked);
}

/**
 * Retry a failed message: with the same `cid` if it may have been sent after all, else with a new one.
 *
 * @param text what to send in place of a text that was refused for good
 */
export function retry(state: State, key: string, cid: string, text?: string): State {
  const index = indexOfKey(state.items, key);
  const item = state.items[index];
  if (!item || (item.kind !== 'said' && item.kind !== 'whisper') || item.fate !== 'failed') return state;
  if (text === undefined && isForGood(item.refusal)) return state;
  // The second click of two, which answers nothing.
  if (state.now - (item.refusal?.at as number) < CONFIRM_MS) return state;
  const to = item.kind === 'whisper' ? recipient(state, item) : null;
  const serial = state.serial + 1;
  const same = (item.kind === 'said' || to!.toSid === item.toSid) && (item.refusal === null || item.refusal.code === 'unavailable');
  const name = same ? key : cid;
  const fresh = { key: name, cid: name, at: placeAtEnd(serial), fate: 'sending', refusal: null, text: text ?? item.text } as const;
  const again: Outgoing = item.kind === 'whisper' ? { ...item, ...fresh, ...to } : { ...item, ...fresh, copy: undefined };
  return { ...state, serial, tries: 0, items: insert(without(state.items, key), again) };
}

/**
 * The recipient of a failed whisper: the session that it was written to, or, by retrying after the page said so about
 * this text, the one that has the name now. For a session that has left, the server finds the one in which the same
 * person is back, or refuses the whisper.
 */
function recipient(state: State, { to, toSid, refusal, confirmed }: Whispered): Pick<Whispered, 'to' | 'toSid' | 'confirmed'> {
  const isTold = refusal?.code === OTHER.code;
  const name = state.people.get(toSid);
  const other = isTold && !name && calledNow(state, to, toSid);
  return { to: name ?? to, toSid: other ? other.sid : toSid, confirmed: isTold || confirmed };
}

/** To be called after every change of `people`: a waiting whisper is shown with the present name of its recipient. */
export function followRecipients(state: State): State {
  let items = state.items;
  for (const item of waiting(state)) {
    if (item.kind !== 'whisper' || item.cid === state.inFlight) continue;
    const to = state.people.get(item.toSid);
    if (to === undefined || to === item.to) continue;
    items = replaceAt(items, indexOfKey(items, item.key), { ...item, to });
  }
  return items === state.items ? state : { ...state, items };
}

/** The connection was lost: the message in flight may or may not have arrived. */
export function cutOutbox(state: State): State {
  if (state.inFlight === null) return state;
  const cid = state.inFlight;
  const index = indexOfKey(state.items, cid);
  const item = state.items[index];
  const free = { ...state, inFlight: null, doubtful: item?.kind === 'said' ? cid : null };
  if (item?.kind !== 'whisper' || item.fate !== 'sending') return free;
  return stopWhispers(fail(free, item, null), item.toSid);
}

/** Unsent messages return to their drafts, except the one in flight, which may have arrived. */
export function takeBack(state: State, left = state.items.filter(isUnsent)): State {
  return left.reduceRight((next, item) => {
    if (item.cid === state.inFlight || item.cid === state.doubtful) return next;
    const to = item.kind === 'whisper' ? { sid: item.toSid, name: item.to } : null;
    return returnDraft({ ...next, items: without(next.items, item.key) }, { room: state.room, to }, item.text);
  }, state);
}

/** Mark a waiting message as failed: the user decides whether to send it. */
export function giveUp(state: State, cid: string): State {
  const item = waiting(state).find((one) => one.cid === cid);
  return item ? stop(fail(state, item, null)) : state;
}

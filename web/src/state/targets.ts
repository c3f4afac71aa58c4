/**
 * Where the next message goes, everyone in the room or one person in it, and a draft for each such target.
 *
 * A draft belongs to its target, not to the composer. A person is a session: another session may take the name. So a
 * text written for one person is never shown in, or sent from, the composer of another target.
 */

import { isSameRoom } from '../lib/places';
import { bareKeyOf, keyOf } from '../lib/typed';
import type { Refusal } from '../wire';
import { remark } from './timeline';
import type { Chat, Draft, Item, Kept, Person, State, Target, Whispered } from './types';

/** The oldest beyond these are dropped. */
export const MOST_DRAFTS = 20;
/** For this long after a partner's session left, nothing is shown: they may be reloading the page. */
export const ABSENT_MS = 5_000;
/** For so long after a whisper, a text to the room may be the answer to it. */
const ANSWER_MS = 60_000;
/** UTF-16 units per character that may be sent: two for each emoji, and as many again to cut down by hand. */
const UNITS = 4;
/** A pasted text may have as many UTF-16 units, so that the page can say how much too long it is. */
const PASTED = 100_000;

/** Why a whisper was not sent: its recipient has left, and no one has the name now (LEFT), or perhaps someone else (OTHER). */
export const LEFT: Refusal = { ok: false, code: 'recipient_left', msg: '' };
export const OTHER: Refusal = { ok: false, code: 'recipient_other', msg: '' };

export function longestDraft(state: State): number {
  return Math.max(UNITS * state.limits.text, PASTED);
}

export function targetOf(state: State): Target {
  const { room, partner } = state;
  return { room, to: partner && { sid: partner.sid, name: partner.name } };
}

export function isSameTarget(one: Target, other: Target): boolean {
  return one.to?.sid === other.to?.sid && isSameRoom(one.room, other.room);
}

/** The draft in the text box, or the one that waits beside it. */
function find({ drafts }: State, target: Target, isAside = false): Draft | undefined {
  return drafts.find((draft) => isSameTarget(draft, target) && (draft.back === 'aside') === isAside);
}

export function draftOf(state: State): string {
  return find(state, targetOf(state))?.text ?? '';
}

/** The refused text of the current target that waits beside what was written since, or ''. */
export function asideOf(state: State): string {
  return find(state, targetOf(state), true)?.text ?? '';
}

/** The draft is a refused text as it came back: what is typed next takes its place. */
export function isBack(state: State): boolean {
  return find(state, targetOf(state))?.back === 'here';
}

export function keepDraft(state: State, { room, to }: Target, text: string, back?: Draft['back']): State {
  const old = find(state, { room, to }, back === 'aside');
  // Never half of a surrogate pair.
  const cut = text.slice(0, longestDraft(state)).replace(/[\ud800-\udbff]$/, '');
  const rest = state.drafts.filter((draft) => draft !== old);
  return { ...state, drafts: cut === '' ? rest : [...rest, { room, to, text: cut, back }].slice(-MOST_DRAFTS) };
}

/** The user has changed the draft. A refused text that was typed over, perhaps before it was seen, waits beside it. */
export function changeDraft(before: State, target: Target, text: string, isOver = false): State {
  const old = find(before, target);
  const state = keepDraft(before, target, text);
  return isOver && old?.back && text !== '' ? putBack(state, target, old.text, 'aside') : state;
}

/** Put a refused text back into its draft, or beside what was written for the same target since. */
export function returnDraft(state: State, target: Target, text: string): State {
  const since = find(state, target);
  return putBack(state, target, text, since && !since.back ? 'aside' : 'here');
}

/** Texts that were refused together become one draft. The last one is put back first. */
function putBack(state: State, target: Target, text: string, back: Draft['back']): State {
  const later = find(state, target, back === 'aside');
  return keepDraft(state, target, later ? `${text}\n${later.text}` : text, back);
}

/** Exchange the draft and the refused text that waits beside it, or (`drop`) forget the latter. */
export function takeAside(state: State, drop = false): State {
  const target = targetOf(state);
  const [draft, aside] = [draftOf(state), asideOf(state)];
  const without = keepDraft(state, target, '', 'aside');
  return drop || aside === '' ? without : keepDraft(keepDraft(without, target, aside), target, draft, 'aside');
}

/** Begin a whisper, or continue one with another session; the user chose this person. */
export function whisperTo(before: State, person: Person, confirmed?: boolean): State {
  const state: State = { ...backAgain(before, person.name), partner: { ...person, gone: false, confirmed }, problem: null, held: false, whispered: true };
  const target = targetOf(state);
  // The text that the page has just asked about, because the room would see it, is for this person.
  if (!before.partner && asksToConfirm(before)) return putBack(keepDraft(state, targetOf(before), ''), target, draftOf(before), find(state, target) && 'aside');
  if (state.drafts.some((draft) => isSameTarget(draft, target))) return state;
  // The draft was for a session of this name that has left. It may be another person, so the user is asked to check.
  const old = state.drafts.filter(({ room, to }) => to?.name === person.name && isSameRoom(room, state.room)).pop();
  if (!old) return state;
  const drafts = state.drafts.map((draft) => (isSameTarget(draft, old) ? { ...draft, to: target.to } : draft));
  return { ...state, drafts, held: true, problem: { ok: false, code: 'written_before', msg: '', at: state.now } };
}

/** `to:NAME` was typed; `to:` alone ends the whisper. If there never was one, the name may follow in the next text. */
export function aimAt(state: State, name: string): State {
  const key = keyOf(name);
  const cleared = keepDraft(state, targetOf(state), '');
  if (key === '') return { ...endWhisper(cleared, !state.whispered), problem: state.partner ? null : { ok: false, code: 'no_chat', msg: '' } };
  const others = [...state.people].filter(([sid]) => sid !== state.sid);
  const called = (one: string): typeof others => others.filter(([, other]) => keyOf(other) === one);
  const exact = called(key);
  const [one, more] = exact[0] ? exact : called(bareKeyOf(name));
  if (one && !more) return whisperTo(cleared, { sid: one[0], name: one[1] });
  return { ...state, held: true, problem: { ok: false, code: 'no_such_person', msg: '', line: name, name: name.trim() } };
}

/** Why a text was refused that would begin a whisper to the person to whom it goes anyway. */
export function alreadyPrivate(name: string): Refusal {
  return { ok: false, code: 'already_private', msg: '', name };
}

/** End the private chat. A user who leaves a whisper unfinished may type its rest into the room; what they typed there before was perhaps meant for the partner. */
export function endWhisper(before: State, held = holdsWhisper(before)): State {
  const state = { ...before, partner: null };
  return { ...state, problem: null, held: held || (before.partner !== null && draftOf(state) !== ''), whisperedAt: -Infinity };
}

/** Whether a change of target would show others what was typed for one person. */
export function holdsWhisper(state: State): boolean {
  return state.partner !== null && draftOf(state) !== '';
}

/** The partner's session has left, and this one has the name now: the same person again, or someone else. The server knows. */
export function namesake(state: State): Person | null {
  const { partner } = state;
  return partner?.left === undefined ? null : calledNow(state, partner.name, partner.sid);
}

/** Who has this name now, if it is another session than this one and the user's own. */
export function calledNow(state: State, called: string, not: string): Person | null {
  for (const [sid, name] of state.people) if (name === called && sid !== state.sid && sid !== not) return { sid, name };
  return null;
}

/** To be called after every change of `people`: follow each person by session, whatever the name is now. */
export function followPeople(state: State): State {
  const drafts = state.drafts.map((draft) => {
    const name = draft.to === null ? undefined : state.people.get(draft.to.sid);
    return name === undefined || name === draft.to!.name ? draft : { ...draft, to: { sid: draft.to!.sid, name } };
  });
  const changed = drafts.some((draft, index) => draft !== state.drafts[index]);
  return followPartner(changed ? { ...state, drafts } : state);
}

function followPartner(state: State): State {
  const partner = state.partner;
  if (!partner) return state;
  const name = state.people.get(partner.sid);
  if (name === undefined) return partner.left === undefined ? { ...state, partner: { ...partner, left: state.now } } : state;
  if (name === partner.name && partner.left === undefined) return state;
  return { ...(partner.gone ? backAgain(state, partner.name) : state), partner: { sid: partner.sid, name, gone: false, confirmed: partner.confirmed } };
}

/** Remove the row that says that a partner of this name has left. */
function backAgain(state: State, name: string): State {
  const isOver = (item: Item): boolean =>
    item.kind === 'note' && (item.note.code === 'partner_left' || item.note.code === 'partner_other') && item.note.name === name;
  return state.items.some(isOver) ? { ...state, items: state.items.filter((item) => !isOver(item)) } : state;
}

/** The question about the text in the box, which is sent if it is sent again; null if there is none. */
export function asksToConfirm({ problem }: State): Refusal | null {
  return problem?.at === undefined ? null : problem;
}

/** Give up on a partner whose session has left. */
export function partnerGone(state: State): State {
  const { partner } = state;
  if (!partner || partner.gone) return state;
  const problem = asksToConfirm(state) ? null : state.problem;
  return remark({ ...state, problem, partner: { left: state.now, ...partner, gone: true } }, { code: calledNow(state, partner.name, partner.sid) ? 'partner_other' : 'partner_left', name: partner.name });
}

/** The server has answered who resumed a session that has left; null: no one. */
export function met(state: State, sid: string, person: Person | null): State {
  if (state.partner?.sid !== sid) return state;
  if (!person) {
    const isOther = calledNow(state, state.partner.name, sid) !== null;
    const items = state.items.map((item) => (isOther && item.kind === 'whisper' && item.toSid === sid && item.refusal === LEFT ? { ...item, refusal: { ...OTHER, at: state.now } } : item));
    return partnerGone({ ...state, items });
  }
  if (!state.people.has(person.sid)) return state;
  const drafts = state.drafts.map((draft) => (draft.to?.sid === sid ? { ...draft, to: person } : draft));
  const back = backAgain(state, state.partner.name);
  const items = back.items.map((item) => (item.kind === 'whisper' && item.toSid === sid ? rebound(item, person.sid) : item));
  return { ...state, drafts, items, partner: { ...person, gone: false } };
}

/** The recipient is back, so their leave is no longer the reason why this was not sent. */
function rebound(item: Whispered, toSid: string): Whispered {
  return { ...item, toSid, refusal: item.refusal === LEFT || item.refusal?.code === OTHER.code ? null : item.refusal };
}

/** Whether a text to the room may be the answer to a whisper. */
export function mayAnswer({ now, partner, whisperedAt }: State): boolean {
  return !partner && now - whisperedAt < ANSWER_MS;
}

/** The private chats that are open in other rooms once the user leaves this one, and the whispers to answer; the latest last. */
export function chatsBehind(state: State): readonly Chat[] {
  const others = state.chats.filter(({ room }) => !isSameRoom(room, state.room));
  return state.partner || mayAnswer(state) ? [...others, { ...targetOf(state), at: state.whisperedAt }].slice(-MOST_DRAFTS) : others;
}

/** What goes on in a room that the user comes back to: what is typed there must not become public. */
export function chatIn(room: string, chats: readonly Chat[]): Pick<State, 'partner' | 'whisperedAt'> {
  const { to, at } = chats.find((chat) => isSameRoom(chat.room, room)) ?? {};
  return { partner: to ? { ...to, gone: false } : null, whisperedAt: at ?? -Infinity };
}

/** What must survive a reload, as text; null if there is nothing. */
export function pack(state: State): string | null {
  const { drafts } = state;
  const chats = chatsBehind(state);
  // Unanswered texts may still be refused, so they are stored as drafts.
  const held = state.held || state.inFlight !== null || state.asking !== null;
  if (chats.length === 0 && drafts.length === 0 && !held) return null;
  return JSON.stringify({ ...targetOf(state), chats, drafts, held });
}

/** Read what `pack` wrote, for a page that opens in this room; ignore anything else. */
export function unpack(text: string | null, room: string): Kept {
  const nothing: Kept = { partner: null, drafts: [] };
  let kept: unknown;
  try {
    kept = JSON.parse(text ?? 'null');
  } catch {
    return nothing;
  }
  if (!isTarget(kept)) return nothing;
  const { chats, drafts, held } = kept as { chats?: unknown; drafts?: unknown; held?: unknown };
  const open = Array.isArray(chats) ? chats.filter(isTarget) : [];
  return { ...chatIn(room, open), chats: open, drafts: Array.isArray(drafts) ? drafts.filter(isDraft) : [], held: held === true };
}

function isTarget(value: unknown): value is Target {
  if (typeof value !== 'object' || value === null) return false;
  const { room, to } = value as { room?: unknown; to?: Partial<Record<keyof Person, unknown>> | null };
  return typeof room === 'string' && (to === null || (typeof to?.sid === 'string' && typeof to.name === 'string'));
}

function isDraft(value: unknown): value is Draft {
  return isTarget(value) && typeof (value as { text?: unknown }).text === 'string';
}

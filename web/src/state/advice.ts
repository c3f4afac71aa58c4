/** How to do what was refused: only the sentence depends on it, so it comes after the first load. */

import { keyOf } from '../lib/typed';
import type { Refusal } from '../wire';
import { type Outgoing, waiting } from './outbox';
import { alreadyPrivate, draftOf, longestDraft } from './targets';
import type { Happening, Item, State } from './types';

interface Asking {
  state: State;
  dispatch: (happening: Happening) => void;
}

/** What ends a name before a text, as for the server. */
const ENDS_NAME = /[\s:,;.!?>=–—、。！，．：；？]+/gu;
/** UTF-16 units in which a name is looked for. */
const LONGEST_NAME = 300;
/** Characters of a text that are quoted in a sentence. */
const SHOWN = 32;

/** What ends a private chat in other chats, as `ENDS` in `chatroom/core/commands.py`. */
const ENDS = new Set(['end', 'close', 'exit', 'leave', 'stop', 'done', 'back', 'bye', 'q', '结束', '退出']);

/** A whisper keyword, perhaps with a colon, as in `chatroom/core/unfinished.py`. */
const WORD_ALONE =
  /^(?:to|w|msg|tell|whisper|dm|pm|query|priv(?:ate|msg)?|pvt|message|[私丝斯思司撕死四嘶似][聊料撩疗]|[聊信][私密]|[私丝斯思司四][信讯訊了]|[密蜜谜謎][聊语語]|耳[语語]|饲料|死心|小窗|[单單]聊|滴滴|悄悄(?:[话話]|的?告[诉訴])?|偷偷告[诉訴]|siliao|silaio|silia|sixin|sixi)[\s:;]*$/;

/** Letters of a word from which on one of them may be wrong. */
const SHORTEST_SLIPPED = 4;

/** How far below the limit a text that was cut off may end, in UTF-16 units: no browser cuts an emoji in two. */
const CUT = 32;

/** What the composer has to say, with what to type instead where `to:NAME` has a text after the name. */
export function advised(state: State): Refusal | null {
  const { people, sid: own, partner, problem } = state;
  // The browser cuts off a pasted text without telling anyone.
  if (!problem && draftOf(state).length > longestDraft(state) - CUT) return { ok: false, code: 'cut_off', msg: '' };
  if (partner && problem?.code === 'unknown_command' && ENDS.has(String(problem.command))) return { ok: false, code: 'unknown_end', msg: '' };
  // Of `to:NAME` the rest of the line is the name.
  const line = String(problem?.line ?? '');
  if (line === '') return problem;
  const others = new Map([...people].filter(([sid]) => sid !== own).map((person) => [keyOf(person[1]), person]));
  for (const { 0: end, index } of [...line.slice(0, LONGEST_NAME).matchAll(ENDS_NAME)].reverse()) {
    const [sid, name] = others.get(keyOf(line.slice(0, index))) ?? [];
    if (name === undefined) continue;
    const text = line.slice(index + end.length).replace(/\s+/g, ' ');
    const longer = [...others.values()].find(([, one]) => isNearlyRest(text, one, name));
    if (longer) return { ok: false, code: 'name_unclear', msg: '', name: longer[1], instead: name };
    const shown = [...text].length > SHOWN ? `${[...text].slice(0, SHOWN).join('')}…` : text;
    return sid === partner?.sid ? alreadyPrivate(name) : { ok: false, code: 'text_after_to', msg: '', name, instead: `/to ${name} ${shown}`.trimEnd() };
  }
  const near = [...others.values()].find(([, one]) => isMisspelt(line, one));
  return near ? { ok: false, code: 'no_such_person_near', msg: '', name: String(problem?.name), instead: near[1] } : problem;
}

/** Make the page ask about a draft that is only a whisper keyword, and about the next text. */
export function holdWord(page: Asking): void {
  if (isUnfinished(page.state)) page.dispatch({ type: 'held' });
}

/** Ask about a whisper keyword that was sent before this code came: what was sent after it returns to the draft with it. */
export function askEarly(page: Asking & { holds: (out: Outgoing) => boolean }): void {
  const early = new Set(waiting(page.state).map(({ key }) => key));
  page.holds = (out) => {
    if (!early.delete(out.key) || out.kind !== 'said' || !isNewKeyword(page.state, out.text, out)) return false;
    page.dispatch({ type: 'answer', cid: out.key, ack: { ok: false, code: 'confirm', msg: '', held: true, at: page.state.now } });
    return true;
  };
  page.dispatch({ type: 'tick' });
}

/** Whether the draft is only a whisper keyword, as in `chatroom/core/unfinished.py`, that the user has not sent before: the name may follow. */
export function isUnfinished(state: State): boolean {
  return !state.partner && isNewKeyword(state, draftOf(state).trim());
}

function isNewKeyword(state: State, text: string, self?: Item): boolean {
  return WORD_ALONE.test(keyOf(text)) && !state.items.some((item) => item !== self && item.kind === 'said' && item.mine && item.text === text);
}

/** Whether a name is probably meant that is written without its accents or spaces, only begun, with one slip, or with a text at once after it. */
function isMisspelt(written: string, name: string): boolean {
  const [typed, meant] = [written, name].map((one) => keyOf(one.slice(0, LONGEST_NAME)).normalize('NFD').replace(/[^\p{L}\p{N}]+/gu, '')) as [string, string];
  if (keyOf(written) === keyOf(name) || typed.length < 2) return false; // several people have that name
  return meant.startsWith(typed) || (meant.length > 1 && typed.startsWith(meant)) || (typed.length >= SHORTEST_SLIPPED && slips(typed).some((one) => slips(meant).includes(one)));
}

/** The word, and the word without each of its letters: words that differ by one slip share one of these. */
function slips(word: string): string[] {
  return [word, ...[...word].map((_, at, all) => all.filter((_, other) => other !== at).join(''))];
}

/** Whether a text is nearly what a longer name has more than this one: with the same first letter, or two exchanged. */
function isNearlyRest(text: string, longer: string, name: string): boolean {
  const [more, long, known] = [text, longer, name].map((one) => keyOf(one).replace(/[^\p{L}\p{N}]+/gu, '')) as [string, string, string];
  const rest = long.slice(known.length);
  return long.startsWith(known) && rest !== '' && (more[0] === rest[0] || (rest.length > 1 && more.startsWith(rest[1]! + rest[0]!)));
}

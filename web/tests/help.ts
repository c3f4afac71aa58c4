/** Short ways to make states and frames, so that a test reads as what happens. */

import { begin, reduce } from '../src/state/reduce';
import type { Event, Happening, Item, Said, State, Whispered } from '../src/state/types';
import type { Entry, Login, Pair, ServerFrame, You } from '../src/wire';

export const START = Date.UTC(2026, 10, 21, 12, 0, 0);

/** The id of the n-th message. */
export const id = (n: number): string => `${START + n * 1000}-000000`;

export function entry(n: number, name = 'fox', msg = `m${n}`, more: Partial<Entry> = {}): Entry {
  return { action: 'message', username: name, msg, id: id(n), time: new Date(START + n * 1000).toISOString(), ...more };
}

export function entries(from: number, to: number, name = 'fox'): Entry[] {
  return Array.from({ length: to - from + 1 }, (_, index) => entry(from + index, name));
}

export function greeting(you: Partial<You> = {}, more: Partial<Login> = {}): ServerFrame {
  const sid = you.sid ?? 'me';
  const username = you.username ?? '阿狸';
  const others: Pair[] = more.name_list ?? [];
  return {
    action: 'login',
    room: 'lobby',
    time: new Date(START).toISOString(),
    count: others.length + 1,
    ...more,
    username,
    sid,
    name_list: [...others, [username, sid]],
    you: { sid, username, token: 'token', resumed: false, history: [], more: false, gap: false, limits: {}, v: 1, ...you },
  };
}

/** A page that things happen to; `now` in seconds since it was opened. */
export class Play {
  state: State = begin('lobby', null, START);
  now = 0;

  do(happening: Happening, seconds = this.now): this {
    this.now = seconds;
    this.state = reduce(this.state, { ...happening, now: START + seconds * 1000 } as Event);
    return this;
  }

  hear(frame: ServerFrame, seconds = this.now): this {
    return this.do({ type: 'frame', frame }, seconds);
  }

  enter(you: Partial<You> = {}, more: Partial<Login> = {}, seconds = this.now): this {
    return this.hear(greeting(you, more), seconds);
  }

  roster(joined: Pair[], left: Pair[], seconds = this.now, count?: number): this {
    const total = count ?? this.state.count + joined.length - left.length;
    return this.hear({ action: 'roster', joined, left, count: total, time: '' }, seconds);
  }

  write(text: string, cid = text): this {
    return this.do({ type: 'write', text, cid });
  }

  sent(cid: string): this {
    return this.do({ type: 'sent', cid });
  }

  ok(cid: string, n: number): this {
    return this.do({ type: 'answer', cid, ack: { ok: true, id: id(n), time: new Date(START + n * 1000).toISOString() } });
  }

  no(cid: string, code: string, more: object = {}): this {
    return this.do({ type: 'answer', cid, ack: { ok: false, code, msg: '', ...more } });
  }

  unknown(cid: string): this {
    return this.do({ type: 'answer', cid, ack: null });
  }

  /** What is shown, in short: texts of messages, `+came -left` of people, codes of notes. */
  get shown(): string[] {
    return this.state.items.map(short);
  }

  get said(): Said[] {
    return this.state.items.filter((item): item is Said => item.kind === 'said');
  }

  get whispers(): Whispered[] {
    return this.state.items.filter((item): item is Whispered => item.kind === 'whisper');
  }
}

export function short(item: Item): string {
  switch (item.kind) {
    case 'said':
      return item.fate === 'said' ? item.text : `${item.text} (${item.fate})`;
    case 'whisper':
      return `${item.name}>${item.to}: ${item.text}` + (item.fate === 'said' ? '' : ` (${item.fate})`);
    case 'presence':
      return [...item.came.map((name) => `+${name}`), ...item.left.map((name) => `-${name}`)].join(' ');
    case 'note':
      return `[${item.note.code}]`;
  }
}

/** Numbers that look random and are the same each time (mulberry32). */
export function random(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

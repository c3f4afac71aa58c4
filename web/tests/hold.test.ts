/** What is typed before its writer can have seen that something was refused goes to nobody. */

import unfinished from '../../tests/core/unfinished.json';
import table from '../../tests/support/private.json';
import { describe, expect, it } from 'vitest';
import { advised, askEarly, isUnfinished } from '../src/state/advice';
import { mayBeKeyword, nextOut } from '../src/state/outbox';
import { begin } from '../src/state/reduce';
import { asideOf, draftOf, isBack, pack, targetOf, unpack } from '../src/state/targets';
import { isReady } from '../src/state/view';
import type { Ack, Pair } from '../src/wire';
import type { Happening } from '../src/state/types';
import { en } from '../src/words/en';
import { rest } from '../src/words/en.rest';
import { sentence } from '../src/words/refusal';
import { Play, id, random } from './help';

const PEOPLE: Pair[] = [['fox', 'f'], ['owl', 'o']];
const NEAR: Ack = { ok: false, code: 'bad_request', msg: '', usage: '/to NAME TEXT', name: 'fox' };
const UNKNOWN: Ack = { ok: false, code: 'unknown_command', msg: '' };

class Typist extends Play {
  #count = 0;

  /** Type after what is there, or over a refused text that has just come back: the page selects it. */
  key(text: string): this {
    return isBack(this.state) ? this.over(text) : this.after(text);
  }

  /** Go to the end and type. */
  after(text: string): this {
    return this.do({ type: 'draft', target: targetOf(this.state), text: draftOf(this.state) + text });
  }

  /** Select everything and type over it. */
  over(text: string): this {
    return this.do({ type: 'draft', target: targetOf(this.state), text, over: true });
  }

  edit(): this {
    return this.do({ type: 'aside' });
  }

  /** Press Enter. */
  enterKey(seconds = 0): this {
    this.now += seconds;
    return isReady(this.state) ? this.write(draftOf(this.state).trim(), `c${++this.#count}`) : this;
  }

  /** The server takes what is next and answers. */
  answer(ack: Ack | null): this {
    const cid = this.state.inFlight ?? nextOut(this.state)!.cid!;
    return this.sent(cid).do({ type: 'answer', cid, ack });
  }

  reload(): this {
    this.state = begin(this.state.room, this.state.token, this.state.now, unpack(pack(this.state), this.state.room));
    return this.enter({ resumed: true }, { room: this.state.room, name_list: PEOPLE });
  }

  get draft(): string {
    return draftOf(this.state);
  }

  /** The text in the box, and the refused one beside it. */
  get both(): [string, string] {
    return [draftOf(this.state), asideOf(this.state)];
  }

  /** What the next text has to wait for, and what goes out. */
  get asked(): [string | undefined, string | undefined] {
    return [this.state.problem?.code, nextOut(this.state)?.text];
  }
}

const here = (): Typist => new Typist().enter({}, { name_list: PEOPLE });
const refused = (): Typist => here().key('tp:fox').enterKey().answer(NEAR);
const QUESTION = ['confirm', undefined];

describe('After a refused text', () => {
  it('the same text gets the same answer each time', () => {
    const play = here().key('to fox my loan').enterKey();
    for (let more = 0; more < 3; more++) {
      play.answer(NEAR);
      expect([play.enterKey(0.5).state.problem, play.asked[1]]).toMatchObject([NEAR, undefined]);
      expect(play.enterKey(2).asked).toEqual([undefined, 'to fox my loan']);
    }
    expect(play.answer(NEAR).over('hello').enterKey(5).asked).toEqual(QUESTION);
  });

  it('what is typed takes its place, is not sent, and loses nothing', () => {
    const play = refused().key('secret');
    expect([play.both, play.enterKey().asked]).toEqual([['secret', 'tp:fox'], QUESTION]);
  });

  it('what was being typed stays as it is', () => {
    const play = here().key('tp:fox').enterKey().key('sec').answer(NEAR).key('ret');
    expect([play.both, play.enterKey().asked]).toEqual([['secret', 'tp:fox'], QUESTION]);
  });

  it('what waits to be sent returns with it, in order', () => {
    const play = here().key('tp:fox').enterKey().key('secret').enterKey().key('more').answer(NEAR);
    expect([play.both, play.shown]).toEqual([['more', 'tp:fox\nsecret'], []]);
    expect(play.enterKey().asked).toEqual(QUESTION);
  });

  it('an edit of it is an edit', () => {
    expect(refused().after('es').over('').both).toEqual(['', '']);
    expect(refused().do({ type: 'draft', target: targetOf(refused().state), text: 'tp:fo' })).toMatchObject({ both: ['tp:fo', ''] });
  });

  it('it and the text in the box change places, over a reload too', () => {
    const play = refused().key('secret').reload().edit();
    expect([play.both, play.edit().both, play.do({ type: 'aside', drop: true })]).toMatchObject([['tp:fox', 'secret'], ['secret', 'tp:fox'], { both: ['secret', ''] }]);
  });

  it('it waits beside the draft of its own target', () => {
    const play = refused().key('secret').do({ type: 'whisper_to', name: 'fox', sid: 'f' }) as Typist;
    expect([play.both, play.edit().both, play.do({ type: 'whisper_end' })]).toMatchObject([['', ''], ['', ''], { both: ['secret', 'tp:fox'] }]);
  });

  it('what replaces it is sent when it is confirmed', () => {
    const play = refused().over('secret').enterKey(5);
    expect([play.asked, play.draft]).toEqual([QUESTION, 'secret']);
    expect(play.enterKey(2).asked).toEqual([undefined, 'secret']);
    expect(play.answer({ ok: true }).key('more').enterKey().asked).toEqual([undefined, 'more']);
  });

  it('Enter pressed twice at once confirms nothing', () => {
    const play = refused().key('secret').enterKey().enterKey(0.5);
    for (let more = 0; more < 4; more++) expect(play.enterKey(0.5).asked).toEqual(QUESTION);
    expect(play.enterKey(2).asked).toEqual([undefined, 'secret']);
  });

  it('a changed text asks again', () => {
    expect(refused().over('secret').enterKey().key('s').enterKey(5).asked).toEqual(QUESTION);
  });

  it('a text typed into the emptied box asks too', () => {
    expect(refused().after('').over('').key('secret').enterKey().asked).toEqual(QUESTION);
    expect(here().key('to:Zed').enterKey().over('').key('secret').enterKey().asked).toEqual(QUESTION);
  });

  it.each(['//x', '/say x'])('%s needs no confirmation', (text) => {
    expect(refused().over(text).enterKey().asked).toEqual([undefined, text]);
  });

  it('a whisper to the person chosen since is sent', () => {
    const play = refused().do({ type: 'whisper_to', name: 'fox', sid: 'f' }).key('secret').enterKey();
    expect(nextOut(play.state)).toMatchObject({ kind: 'whisper', toSid: 'f' });
  });

  it('a whisper to someone else waits as well', () => {
    const play = here().key('to:owl').enterKey().key('tp:fox').enterKey().answer(NEAR).key('secret').enterKey();
    expect([play.asked, play.state.problem?.name]).toEqual([QUESTION, 'owl']);
  });

  it.each([
    ['a reload', (play: Typist) => play.reload()],
    ['another room', (play: Typist) => play.enter({}, { room: 'den' })],
    ['a cut', (play: Typist) => play.do({ type: 'cut' }).enter({ resumed: true }, { name_list: PEOPLE })],
  ])('%s changes nothing', (_, happen) => {
    const play = refused();
    happen(play);
    expect(play.over('secret').enterKey().asked).toEqual(QUESTION);
  });
});

describe('What may yet be refused', () => {
  it.each(['tp:fox', '/too fox'])('(%s) still holds what follows after a reload', (text) => {
    const play = here().key(text).enterKey();
    if (nextOut(play.state)) play.sent(nextOut(play.state)!.cid!);
    expect(play.key('sec').reload().key('ret').enterKey().asked).toEqual(QUESTION);
  });

  it('but was not, holds nothing', () => {
    expect(here().key('hello').enterKey().answer({ ok: true }).key('more').reload().enterKey().asked).toEqual([undefined, 'more']);
  });
});

describe('After an unanswered command', () => {
  const asking = (): Typist => here().key('/name wolf').enterKey().key('hello').enterKey();

  it('a text waits, and is sent when the command succeeds', () => {
    const play = asking();
    expect([play.shown, nextOut(play.state)]).toEqual([['hello (sending)'], null]);
    expect(nextOut(play.do({ type: 'commanded', ack: { ok: true, token: 'new' } }).state)).toMatchObject({ text: 'hello' });
    expect(play.state.token).toBe('new');
  });

  it.each([UNKNOWN, null])('a text returns with it when it is refused', (ack) => {
    const play = asking().do({ type: 'commanded', ack }) as Typist;
    expect([play.draft, play.shown, play.state.problem?.code]).toEqual(['/name wolf\nhello', [], ack ? 'unknown_command' : 'offline']);
    expect(play.over('secret').enterKey().asked).toEqual(QUESTION);
  });

  it('another command stays in its draft', () => {
    const play = here().key('/who').enterKey().key('/to fox secret').enterKey();
    expect([play.draft, play.state.asking?.text, play.state.problem?.code]).toEqual(['/to fox secret', '/who', 'rate_limited']);
    expect(play.key('more').both).toEqual(['more', '/to fox secret']);
  });

  it('what was written before it goes on', () => {
    const play = here().key('a').enterKey().key('b').enterKey().key('/who').enterKey().answer({ ok: true });
    expect(nextOut(play.do({ type: 'commanded', ack: UNKNOWN }).state)).toMatchObject({ text: 'b' });
  });
});

describe('After a whisper', () => {
  const heard = (): Typist => here().hear({ action: 'whisper', username: 'fox', to: '阿狸', msg: 'psst', time: '' }) as Typist;
  const commanded = (): Typist => here().key('/to fox x1').enterKey().do({ type: 'commanded', ack: { ok: true } }) as Typist;

  it.each([
    ['received', heard],
    ['sent by a command', commanded],
    ['sent by a command that is not answered yet', () => here().key('/to fox x1').enterKey()],
    ['sent by a command, whose frame has come', () => commanded().hear({ action: 'whisper', username: '阿狸', to: 'fox', msg: 'x1', time: '' }) as Typist],
  ])('that was %s, the first text to the room is sent when confirmed, once', (_, whisper) => {
    const play = whisper().key('ok yes').enterKey(50);
    expect(play.asked).toEqual(QUESTION);
    expect(play.enterKey(2).said.map(({ text }) => text)).toEqual(['ok yes']);
    expect(play.key('more').enterKey().said.map(({ text }) => text)).toEqual(['ok yes', 'more']);
  });

  it.each([
    ['after a minute', (play: Typist) => play.do({ type: 'tick' }, 60)],
    ['after a private chat', (play: Typist) => play.do({ type: 'whisper_to', name: 'fox', sid: 'f' }).do({ type: 'whisper_end' })],
    ['in another room', (play: Typist) => play.enter({}, { room: 'den' })],
  ])('%s, the page asks nothing', (_, happen) => {
    expect((happen(heard()) as Typist).key('hello').enterKey().asked).toEqual([undefined, 'hello']);
  });

  it.each([
    ['a reload', (play: Typist) => play.reload()],
    ['another room and back', (play: Typist) => play.enter({}, { room: 'den' }).enter({}, { name_list: PEOPLE })],
    ['a reload in another room, and back', (play: Typist) => (play.enter({}, { room: 'den' }) as Typist).reload().enter({}, { name_list: PEOPLE })],
    ['another room by a new connection, and back', (play: Typist) => play.do({ type: 'go', room: 'den' }).do({ type: 'go', room: 'lobby' }).enter({}, { name_list: PEOPLE })],
  ])('%s within the minute changes nothing', (_, happen) => {
    for (const whispered of [heard, commanded]) {
      expect((happen(whispered()) as Typist).key('ok yes').enterKey(50).asked).toEqual(QUESTION);
      expect((happen(whispered()) as Typist).key('ok yes').enterKey(60).asked).toEqual([undefined, 'ok yes']);
      const sent = whispered().key('x').enterKey().enterKey(2).answer({ ok: true }) as Typist;
      expect((happen(sent) as Typist).key('ok yes').enterKey().asked).toEqual([undefined, 'ok yes']);
    }
  });

  it('the text that was asked about goes along into the private chat', () => {
    const play = heard().key('ok yes').enterKey().do({ type: 'whisper_to', name: 'fox', sid: 'f' }) as Typist;
    expect([play.both, play.state.problem]).toEqual([['ok yes', ''], null]);
    expect((play.do({ type: 'whisper_end' }) as Typist).both).toEqual(['', '']);
  });

  it('it waits beside what was written there', () => {
    const whisper = { type: 'whisper_to', name: 'fox', sid: 'f' } as const;
    const play = (heard().do(whisper) as Typist).key('well').do({ type: 'whisper_end' }) as Typist;
    expect(((play.key('ok yes').enterKey().do(whisper)) as Typist).both).toEqual(['well', 'ok yes']);
  });

  it('an answer in a private chat needs no confirmation', () => {
    const play = heard().do({ type: 'whisper_to', name: 'fox', sid: 'f' }) as Typist;
    expect(play.key('ok yes').enterKey().asked).toEqual([undefined, 'ok yes']);
  });
});

describe('After to: without a private chat', () => {
  it('its answer says so, and the next text asks', () => {
    const play = here().key('to:').enterKey();
    expect([play.asked, play.draft]).toEqual([['no_chat', undefined], '']);
    expect(play.key('fox').enterKey().asked).toEqual(QUESTION);
    expect(play.over('secret').enterKey(5).asked).toEqual(QUESTION);
    expect(play.enterKey(2).asked).toEqual([undefined, 'secret']);
  });

  it('nothing asks if there was one before', () => {
    const play = here().key('to:fox').enterKey().key('to:').enterKey();
    expect([play.asked, play.key('to:').enterKey().asked]).toEqual([[undefined, undefined], ['no_chat', undefined]]);
    expect(play.key('hello').enterKey().asked).toEqual([undefined, 'hello']);
  });
});

describe('A draft from before a private chat', () => {
  it.each(['to:', 'Escape'])('is asked about once after %s', (end) => {
    const play = here().key('the pin').do({ type: 'whisper_to', sid: 'f', name: 'fox' }) as Typist;
    if (end === 'to:') play.key(end).enterKey();
    else play.do({ type: 'whisper_end' });
    expect([play.draft, play.enterKey().asked]).toEqual(['the pin', QUESTION]);
    expect(play.enterKey(2).asked).toEqual([undefined, 'the pin']);
    expect(play.answer({ ok: true }).key('hello').enterKey().asked).toEqual([undefined, 'hello']);
  });
});

describe('A slip of to: in a private chat', () => {
  it('is not sent, and the answer says so', () => {
    const msg = 'You still talk to fox only.';
    const play = here().key('to:fox').enterKey().key('to;').enterKey();
    play.answer({ ok: false, code: 'unknown_command', command: 'to', usage: 'to:', msg });
    expect([play.draft, play.state.items, sentence({ ...en, ...rest }, advised(play.state)!)]).toEqual(['to;', [], msg]);
    expect(play.over('to:').enterKey().state.partner).toBeNull();
  });
});

describe('A whisper keyword that stands alone', () => {
  it.each(unfinished.alone)('%s asks once', (word) => {
    const play = here().key(word);
    expect(isUnfinished(play.state)).toBe(true);
    expect(play.do({ type: 'held' }).state.held).toBe(true);
    play.enterKey().enterKey(2).answer({ ok: true, id: '1' });
    expect(isUnfinished(play.key(word).state)).toBe(false);
  });

  it.each(unfinished.ordinary)('%s is none', (text) => {
    expect(isUnfinished(here().key(text).state)).toBe(false);
  });

  /** What was sent before the page could ask, and what has been typed since; then it can ask. */
  function early(play: Typist): { play: Typist; sent: string[] } {
    const sent: string[] = [];
    const page = {
      get state() {
        return play.state;
      },
      holds: mayBeKeyword,
      dispatch(happening: Happening) {
        play.do(happening);
        for (let out = nextOut(play.state); out && !page.holds(out); out = nextOut(play.state)) {
          sent.push(out.text);
          play.answer({ ok: true, id: id(sent.length) });
        }
      },
    };
    page.dispatch({ type: 'tick' });
    askEarly(page);
    return { play, sent };
  }

  it.each(unfinished.alone)('%s waits until the page can ask, and so does what follows', (word) => {
    const { play, sent } = early(here().key('hello to you all!').enterKey().key(word).enterKey().key('fox the secret').enterKey().key('draft'));
    expect(sent).toEqual(['hello to you all!']);
    expect([play.both, play.asked]).toEqual([['draft', `${word.trim()}\nfox the secret`], QUESTION]);
  });

  it('one that comes back is sent if it is sent again', () => {
    const { play } = early(here().key('w').enterKey());
    expect([play.draft, play.enterKey(2).asked]).toEqual(['w', [undefined, 'w']]);
  });

  it('an ordinary short text waits too, and is sent as it was', () => {
    const { play, sent } = early(here().key('hello').enterKey().key('and a draft'));
    expect([sent, play.draft]).toEqual([['hello'], 'and a draft']);
  });

  it('a longer text, or one to a person, waits for nothing', () => {
    expect(mayBeKeyword(nextOut(here().key('hello to you all!').enterKey().state)!)).toBe(false);
    expect(mayBeKeyword(nextOut(here().key('to:fox').enterKey().key('w').enterKey().state)!)).toBe(false);
  });

  it('it asks nothing in a private chat', () => {
    expect(isUnfinished(here().key('to:fox').enterKey().key('w').state)).toBe(false);
  });
});

it('The rest of a whisper that was left unfinished is not sent to the room', () => {
  const play = here().key('to:fox').enterKey().key('sec').do({ type: 'whisper_end' }) as Typist;
  expect(play.key('ret').enterKey().asked).toEqual(QUESTION);
});

describe.each(Array.from({ length: 40 }, (_, seed) => seed))('Typed without looking (%i)', (seed) => {
  it('what follows a slip is never sent to the room', () => {
    const below = random(seed);
    for (let turn = 0; turn < 50; turn++) {
      const slip = ['tp:fox', 'to fox s1', '/too fox', 'to:fix', '\\to fox s1', 'op 0123456789abcdef'][below(6)]!;
      const play = here();
      const isSlip = (text: string): boolean => text.split('\n').some((line) => line.startsWith(slip));
      /** What the server has and will answer, in order. */
      const serve = (): void => {
        const out = nextOut(play.state);
        if (play.state.asking && below(2)) play.do({ type: 'commanded', ack: isSlip(play.state.asking.text) ? UNKNOWN : { ok: true } });
        else if (play.state.inFlight !== null && below(2)) {
          const text = play.said.find(({ cid }) => cid === play.state.inFlight)?.text ?? '';
          play.answer(isSlip(text) ? [UNKNOWN, NEAR][below(2)]! : { ok: true });
        } else if (out) {
          // Only with the slip itself before it, which the server refuses, may a secret leave the page.
          if (/s\d/.test(out.text)) expect(isSlip(out.text), out.text).toBe(true);
          play.sent(out.cid!);
        }
      };
      const meanwhile = (): void => {
        play.now += below(3) / 10;
        play.do({ type: 'tick' });
        const what = below(60);
        if (what === 0) play.do({ type: 'cut' }).enter({ resumed: below(2) === 0 }, { name_list: PEOPLE });
        else if (what === 1 && (play.state.inFlight !== null || play.state.asking || play.state.held)) play.reload();
        else if (what < 40) serve();
      };
      const enter = (): void => {
        for (let times = 1 + below(2); times > 0; times--) {
          play.enterKey();
          meanwhile();
        }
      };
      for (const line of ['hello', slip, 's1', 's2', 's3']) {
        for (const key of line) {
          play.key(key);
          meanwhile();
        }
        enter();
      }
      for (let left = 0; left < 60; left++) serve();
    }
  });
});

/** A part of a text, as `tests/support/typos.py` says. */
type Part = string | { one: string[] } | { set: keyof typeof table.sets } | { typed: string[] };

/** A word in any case and width, in letters that look alike, with anything invisible around and in it. */
function spelled(word: string, pick: <T>(from: ArrayLike<T>) => T): string {
  const alike: Record<string, string> = table.alike;
  return [...word]
    .map((char) => {
      const wide = char > ' ' && char <= '~' ? String.fromCharCode(char.charCodeAt(0) + 0xfee0) : char;
      return pick(table.invisible) + pick([char, char, char.toUpperCase(), wide, ...(alike[char] ?? '')]);
    })
    .join('');
}

/** A private text of each kind, and what is typed after it. */
function privateTexts(below: (n: number) => number): string[][] {
  const pick = <T>(from: ArrayLike<T>): T => from[below(from.length)]!;
  const typed = (part: Part): string => {
    if (typeof part === 'string') return part;
    if ('typed' in part) return spelled(pick(part.typed), pick);
    return pick('set' in part ? table.sets[part.set] : part.one);
  };
  const filled = (text: string): string => text.replace('{secret}', 's3cret').replace('{room}', 'den');
  return (table.texts as Part[][][]).map((texts) => texts.map((parts) => filled(parts.map(typed).join(''))));
}

describe.each(Array.from({ length: 20 }, (_, seed) => seed))('However a private text is typed (%i)', (seed) => {
  it('the page sends it as typed, which the server refuses, or to one person, and nothing after it', () => {
    const below = random(seed);
    const people = table.names.map((name): Pair => [name, `of ${name}`]);
    for (let turn = 0; turn < 10; turn++) {
      for (const texts of privateTexts(below)) {
        const play = new Typist().enter({}, { name_list: people });
        const serve = (): void => {
          const { asking } = play.state;
          if (asking) {
            expect(asking.text).toBe(texts[0]!.trim());
            play.do({ type: 'commanded', ack: UNKNOWN });
          }
          const out = nextOut(play.state);
          if (!out) return;
          if (out.kind === 'whisper') expect(people.map(([, sid]) => sid)).toContain(out.toSid);
          else expect(out.text).toBe(texts[0]!.trim());
          play.answer(out.kind === 'whisper' ? { ok: true } : NEAR);
        };
        for (const text of texts) {
          play.key(text).enterKey();
          if (below(2)) serve();
        }
        for (let left = 0; left < 3; left++) serve();
      }
    }
  });
});

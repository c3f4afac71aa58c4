import near from '../../tests/core/near.json';
import { describe, expect, it } from 'vitest';
import { purged, refusedIn } from '../src/lib/refused';
import { asTyped, keyOf, read } from '../src/lib/typed';
import { complete } from '../src/lib/complete';
import { advised } from '../src/state/advice';
import { isForGood, nextOut } from '../src/state/outbox';
import { step } from '../src/state/recall';
import { draftOf, targetOf } from '../src/state/targets';
import { isReady } from '../src/state/view';
import { en as first } from '../src/words/en';
import { rest } from '../src/words/en.rest';
import { sentence, unsent } from '../src/words/refusal';
import { zh as zhFirst } from '../src/words/zh';
import { rest as zhRest } from '../src/words/zh.rest';
import type { Ack, Pair, Refusal } from '../src/wire';
import { Play, random } from './help';

const en = { ...first, ...rest };
const zh = { ...zhFirst, ...zhRest };
const PEOPLE: Pair[] = [['fox', 'f'], ['Ming Li', 'm'], ['Ｅｖｅ', 'e'], ['a:b', 'c'], ['"q"', 'q']];

class Writer extends Play {
  type(text: string): this {
    return this.do({ type: 'draft', target: targetOf(this.state), text });
  }

  /** Type a text and send it, as Enter does. */
  enterText(text: string): this {
    return this.type(text).write(text, text);
  }

  get draft(): string {
    return draftOf(this.state);
  }

  get problem(): string | undefined {
    return this.state.problem?.code;
  }
}

const here = (): Writer => new Writer().enter({}, { name_list: PEOPLE });

describe('A text', () => {
  it.each(['hello', 'a/b', 'TODO: x', 'total: 3', 'tomorrow', 'to be', '//x', ' //to fox secret', '/say /to fox', '/SAY x', '1/2', '*to:fox*', '🩷', 'http://x', '> to:x'])(
    'such as %j is a message',
    (text) => {
      expect(read(text).kind).toBe('message');
    },
  );

  it.each(['/to fox secret', '  /who', '\n/x', '/home/u/x.log', '/', '/say', '/say  ', '/sayx', '/ /x', '/\t/x', '\ufeff/to fox'])('such as %j is a command', (text) => {
    expect(read(text)).toEqual({ kind: 'command', text: text.replace('\ufeff', '').trimStart() });
  });

  it.each([
    '、to fox 秘密',
    '､to fox',
    '／to fox 秘密',
    '∕to fox',
    '⁄to fox',
    '╱to fox',
    '⟋to fox',
    '⧸to fox',
    '\u200b/to fox',
    '\u200e/to fox',
    '\u2060/to fox',
    '\u00ad/to fox',
    '\ufe0f/to fox',
    '\u115f/x',
    '\u2800、to fox',
  ])('such as %j is a command with a plain slash', (text) => {
    expect(read(text).kind).toBe('command');
    expect(read(text).text).toMatch(/^\/[a-z]/);
  });

  it.each(['to:fox', 'To:fox', 'TO:fox', 'to：fox', 'ｔｏ：fox', ' to : fox', 't\u200bo:fox', 'to\ufe55fox', 'to:'])('such as %j names a recipient', (text) => {
    expect(read(text).kind).toBe('to');
  });

  it.each(['/x', '//x', '/say x', '、x', 'to:fox', 'hello', ' x', '/', '//', '/say', '\u200b/x'])('that was sent as %j is typed again so that it is the same', (text) => {
    expect(read(asTyped(text))).toEqual({ kind: 'message', text });
  });

  it.each([
    ['/say //x  y', '//x  y'],
    ['／ＳＡＹ　、x', '、x'],
    ['/s\u200bay x', 'x'],
    ['／／x', '/x'],
    ['、/x', '/x'],
    ['\u200b/\u200b/x', '/x'],
  ])('typed as %j is sent as %j', (typed, text) => {
    expect(read(typed)).toEqual({ kind: 'message', text });
  });
});

describe('What is no message', () => {
  it.each(['、to fox secret', '/to fox secret', '\u200b/x'])('such as %j is neither shown nor queued, also while away', (text) => {
    for (const play of [here(), here().do({ type: 'cut' }), here().do({ type: 'whisper_to', name: 'fox', sid: 'f' })]) {
      const target = targetOf(play.state);
      play.enterText(text);
      expect([play.shown, nextOut(play.state), play.draft, play.state.asking]).toMatchObject([[], null, '', { text, target }]);
    }
  });

  it.each([en, zh])('is refused with a sentence that teaches how to send it', (words) => {
    expect(words.refusals.no_such_person('Bob')).toMatch(/Bob[^]*\/say/);
    expect(words.refusals.unknown_command).toMatch(/\/to NAME TEXT[^]*\/say/);
  });

  it.each([
    ['op KEY', 'unknown_command', {}],
    ['to Bob secret', 'bad_request', { usage: '/to NAME TEXT', name: 'Bob' }],
    ['more', 'room_invalid', { held: true }],
    ['ot:Zed', 'no_such_person', { name: 'Zed' }],
    ['join den', 'bad_request', { usage: '/join ROOM', room: 'den' }],
  ])('but was sent as one (%j) comes back into its draft', (text, code, more) => {
    for (const play of [here(), here().enterText('to:fox')]) {
      play.write(text, 'c').sent('c').no('c', code, more);
      expect([play.shown, play.draft, play.problem, nextOut(play.state)]).toEqual([[], text, code, null]);
    }
  });

  it.each([
    { code: 'no_such_person', name: 'Bob' },
    { code: 'room_invalid', held: true },
    { code: 'bad_request', name: 'Bob', usage: '/to NAME TEXT' },
    { code: 'bad_request', room: 'den', usage: '/join ROOM' },
    { code: 'unknown_command', command: 'tel', usage: '/to NAME TEXT' },
    { code: 'unknown_command', command: '', usage: '/to Bob yes' },
  ])('is refused in the words of the server where it knows who is meant', (refusal) => {
    expect(sentence(en, { ok: false, msg: 'Someone else is called Bob now.', ...refusal })).toBe('Someone else is called Bob now.');
  });

  it('is completed from what a Chinese keyboard types for a slash', () => {
    const table = [{ usage: '/who', help: {} }];
    for (const text of ['/wh', '／wh', '、wh', ' 、']) expect(complete(text, text.length, table, () => [])).toMatchObject([{ insert: '/who ', start: text.search(/[/／、]/) }]);
  });
});

describe('A near miss', () => {
  const more = near.more as [string, string, string[]][];
  const table = [...(near.cases as [string, string, string][]), ...more.flatMap(([verdict, why, texts]) => texts.map((text) => [text, verdict, why] as const))];

  it.each(table.filter(([, verdict]) => verdict === 'sent'))('%j is a message for the page too', (text) => {
    expect(read(text).kind).toBe('message');
  });

  it.each(table.filter(([, verdict]) => verdict === 'refused'))('%j goes to the server as typed, or the page answers it', (text) => {
    const play = here().enterText(text);
    expect(play.state.asking?.text ?? nextOut(play.state)?.text).toBe(read(text).kind === 'to' ? undefined : text);
  });
});

describe('to:NAME', () => {
  it.each([
    ['to:fox', 'f'],
    ['TO：FOX', 'f'],
    ['to: “fox”', 'f'],
    ['to:f\u200box', 'f'],
    ['to:ming  li', 'm'],
    ['to:eve', 'e'],
    ['to:a:b', 'c'],
    ['to:"q"', 'q'],
    ['to:""q""', 'q'],
  ])('%j begins the whisper', (text, sid) => {
    const play = here().type('before').enterText(text);
    expect([play.state.partner?.sid, play.draft, play.shown, play.problem]).toEqual([sid, '', [], undefined]);
    expect(play.do({ type: 'whisper_end' }).shown).toEqual([]);
    expect((play as Writer).draft).toBe('');
  });

  it('to whom the next text goes, bound to the session', () => {
    const play = here().enterText('to:fox').write('secret', 'c');
    expect(nextOut(play.state)).toMatchObject({ kind: 'whisper', to: 'fox', toSid: 'f', text: 'secret' });
  });

  it.each([
    ['to:fox secret', 'fox', '/to fox secret'],
    ['to:fox\nsecret', 'fox', '/to fox secret'],
    ['TO：ＦＯＸ： Secret', 'fox', '/to fox Secret'],
    ['to:"Ming Li" hi, fox', 'Ming Li', '/to Ming Li hi, fox'],
    [`to:fox ${'x'.repeat(50)}`, 'fox', `/to fox ${'x'.repeat(32)}…`],
  ])('%j is refused, and what to type instead is said', (text, name, instead) => {
    const play = here().enterText(text);
    expect([play.state.partner, play.draft, play.shown, advised(play.state)]).toMatchObject([null, text, [], { code: 'text_after_to', name, instead }]);
    for (const words of [en, zh]) expect(sentence(words, advised(play.state)!)).toContain(instead);
  });

  it.each(['to:fox secret', 'tp:fox'])('in a whisper to that person, %j is refused as already private', (text) => {
    const play = here().enterText('to:fox').enterText(text);
    if (nextOut(play.state)) play.sent(text).no(text, 'bad_request', { usage: '/to NAME TEXT', name: 'fox', msg: 'Begin it with /to.' });
    expect([play.draft, play.shown, advised(play.state)]).toMatchObject([text, [], { code: 'already_private', name: 'fox' }]);
    expect(sentence(en, advised(play.state)!)).not.toContain('/to');
  });

  it('in a whisper to someone else, the sentence says how to reach that person', () => {
    const play = here().enterText('to:eve').enterText('to:fox secret');
    expect(advised(play.state)).toMatchObject({ code: 'text_after_to', name: 'fox' });
  });

  it('a text that the text box cut off has a sentence until it is shorter', () => {
    const codes = [99_000, 100_001, 99_000].map((size) => {
      const play = here().do({ type: 'draft', target: targetOf(here().state), text: 'x'.repeat(size) });
      return advised(play.state)?.code;
    });
    expect(codes).toEqual([undefined, 'cut_off', undefined]);
  });

  it.each(['to:nobody', 'to:阿狸', 'to:nobody secret', 'to:阿狸 secret'])('%j is refused, and the draft stays', (text) => {
    const play = here().enterText(text);
    expect([play.state.partner, play.draft, advised(play.state)?.code, play.shown]).toEqual([null, text, 'no_such_person', []]);
  });

  it.each([
    ['to:Zoe', 'Zoë'],
    ['to:LiWei', 'Li Wei'],
    ['to:moonbaem mole', 'Moonbeam Mole'],
    ['to:Moonbeam', 'Moonbeam Mole'],
    ['to:Zoëhe hit me', 'Zoë'],
  ])('%j is refused, and the name that was probably meant is said', (text, name) => {
    const people: Pair[] = [['Bo', 'b'], ['Zoë', 'z'], ['Li Wei', 'l'], ['Moonbeam Mole', 'm']];
    const play = new Writer().enter({}, { name_list: people }).enterText(text);
    expect([play.state.partner, play.draft, advised(play.state)]).toMatchObject([null, text, { code: 'no_such_person_near', instead: name }]);
    for (const words of [en, zh]) expect(sentence(words, advised(play.state)!)).toContain(`to:${name}`);
  });

  it('in a whisper, a command that ends it elsewhere is answered with what ends it here', () => {
    const ack: Ack = { ok: false, code: 'unknown_command', msg: 'No such command.', command: 'end' };
    const play = here().enterText('to:fox').enterText('/end').do({ type: 'commanded', ack });
    for (const words of [en, zh]) expect(sentence(words, advised(play.state)!)).toContain('to:');
    expect(advised(here().enterText('/end').do({ type: 'commanded', ack }).state)?.code).toBe('unknown_command');
  });

  it.each(['to:@fox', 'to:「fox」', 'to:fox.', 'to:<fox>'])('%j begins the whisper, though the name is not written alone', (text) => {
    expect(here().enterText(text).state.partner?.sid).toBe('f');
  });

  it.each(['to:Ming Lo', 'to:Ming il'])('%j is refused with the question who is meant', (text) => {
    const play = new Writer().enter({}, { name_list: [['Ming', 'm'], ['Ming Li', 'l']] }).enterText(text);
    expect([play.state.partner, advised(play.state)]).toMatchObject([null, { code: 'name_unclear', name: 'Ming Li', instead: 'Ming' }]);
    for (const words of [en, zh]) expect(sentence(words, advised(play.state)!)).toContain('to:"Ming Li"');
  });

  it('alone ends the whisper', () => {
    const play = here().enterText('to:fox').enterText(' To：');
    expect([play.state.partner, play.draft, play.enterText('to:').shown]).toEqual([null, '', []]);
  });

  it('is possible after the partner has left', () => {
    const play = here().enterText('to:fox').roster([], [PEOPLE[0]!]).type('to:eve') as Writer;
    expect(isReady(play.state)).toBe(true);
    expect(play.enterText('to:eve').state.partner).toMatchObject({ sid: 'e', gone: false });
    expect(isReady(play.roster([], [PEOPLE[2]!]).do({ type: 'tick' }, 60).do({ type: 'draft', target: targetOf(play.state), text: 'secret' }).state)).toBe(false);
  });

  it('that two names match is refused', () => {
    const play = new Writer().enter({}, { name_list: [['fox', 'f'], ['FOX', 'g']] }).enterText('to:fox');
    expect([play.state.partner, play.problem]).toEqual([null, 'no_such_person']);
  });
});

describe('/say TEXT', () => {
  it('that failed is recalled as it was typed', () => {
    const play = here().write('/say /x', 'c').sent('c').no('c', 'never_heard_of');
    expect(step(play.state, null, -1)?.text).toBe('/say /x');
  });

  it('is shown as TEXT and sent as typed', () => {
    const play = here().write('/say /x', 'c');
    expect(nextOut(play.state)).toMatchObject({ kind: 'said', text: '/say /x' });
    expect(play.sent('c').ok('c', 1).shown).toEqual(['/x']);
  });

  it('goes to the partner in a whisper', () => {
    const play = here().enterText('to:fox').write('/say to:x', 'c');
    expect(nextOut(play.state)).toMatchObject({ kind: 'whisper', text: '/say to:x', toSid: 'f' });
    expect(play.sent('c').do({ type: 'answer', cid: 'c', ack: { ok: true } }).shown).toEqual(['阿狸>fox: to:x']);
  });

  it('to the partner is shown once, whichever of ack and frame comes first', () => {
    const play = here().enterText('to:fox').write('/say to:x', 'c').sent('c');
    play.hear({ action: 'whisper', username: '阿狸', to: 'fox', msg: 'to:x', time: '' }).do({ type: 'answer', cid: 'c', ack: { ok: true } });
    expect(play.shown).toEqual(['阿狸>fox: to:x']);
  });
});

describe('A refused character', () => {
  const refusal: Refusal = { ok: false, code: 'bad_request', msg: '', character: 'U+202A' };

  it.each([en, zh])('is named', (words) => {
    expect(unsent(words, refusal)).toMatch(/\S( \(U\+202A\)\.|（U\+202A）。)$/);
    expect(sentence(words, { ...refusal, code: 'name_invalid' })).toContain('U+202A');
  });

  it('is left out of what is sent instead', () => {
    const play = here().write('a\u202ab', 'c').sent('c').no('c', 'bad_request', { character: 'U+202A' });
    expect([isForGood(play.said[0]!.refusal), play.said[0]!.fate]).toEqual([true, 'failed']);
    play.do({ type: 'retry', key: 'c', cid: 'd', text: purged('a\u202ab', refusedIn(refusal)) });
    expect([nextOut(play.state), play.said.length]).toMatchObject([{ cid: 'd', text: 'ab' }, 1]);
  });

  it('is left out of a whisper to the same session', () => {
    const play = here().enterText('to:fox').write('a\u202ab', 'c').sent('c').no('c', 'bad_request', { character: 'U+202A' });
    play.do({ type: 'retry', key: 'c', cid: 'd', text: 'ab' });
    expect(nextOut(play.state)).toMatchObject({ kind: 'whisper', toSid: 'f', text: 'ab' });
  });

  it.each([undefined, 7, '', 'U+', 'U+ZZZZ', 'U+FFFFFF', '202A'])('that makes no sense (%j) is none', (character) => {
    expect(refusedIn({ ...refusal, character })).toBe('');
  });

  it('takes others of its kind along, and no more', () => {
    expect(purged('a\u200bb\u200bc\u202e\x07\n\t🦊', '\u200b')).toBe('abc\n\t🦊');
  });
});

/** Write a line as a person may by mistake: in other case and width, with spaces and what cannot be seen. */
function mistyped(line: string, below: (n: number) => number): string {
  const UNSEEN = [' ', '\u200b', '\u200e', '\u2060', '\u00ad', '\ufe0f', '\ufeff', '\u3000', '\u034f', '\u{e0100}', '\u202a', '\u115f', '\u2800', '\x00'];
  const unseen = (): string => (below(3) === 0 ? UNSEEN[below(UNSEEN.length)]! : '');
  const letters = [...line].map((char) => {
    if (char === '/') return ['/', '／', '、', '､', '∕', '⁄'][below(6)]!;
    const cased = below(2) === 0 ? char.toUpperCase() : char;
    const wide = below(3) === 0 && cased > ' ' && cased < '\x7f' ? String.fromCodePoint(cased.codePointAt(0)! + 0xfee0) : cased;
    return wide + unseen();
  });
  return unseen() + unseen() + letters.join('');
}

describe.each(Array.from({ length: 20 }, (_, seed) => seed))('However a private line is mistyped (%i)', (seed) => {
  it('it is never sent to the room', () => {
    const below = random(seed);
    const lines = ['/to fox secret', '/w fox secret', '/msg fox secret', '/op KEY', 'to:fox', 'to:"fox"', 'to:', 'to:nobody'];
    for (let turn = 0; turn < 200; turn++) {
      const line = mistyped(lines[below(lines.length)]!, below);
      expect(read(line).kind, JSON.stringify(line)).not.toBe('message');
      expect(read(line).text.startsWith('//')).toBe(false);
      const play = here();
      if (below(2)) play.do({ type: 'cut' });
      play.enterText(line);
      if (play.state.partner) play.write('secret', 's');
      play.do({ type: 'cut' }).enter({}, { name_list: below(2) ? PEOPLE : [['fox', 'impostor']] });
      const out = nextOut(play.state);
      if (out) expect(out).toMatchObject({ kind: 'whisper', toSid: 'f' });
      expect(play.said).toEqual([]);
    }
  });
});

describe('Names', () => {
  it('match in any case and width, quoted or not', () => {
    expect(keyOf(' Ming\u3000LI\u200b')).toBe('ming li');
  });
});

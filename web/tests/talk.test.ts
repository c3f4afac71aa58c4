import { describe, expect, it } from 'vitest';
import { isForGood, nextOut, TRIES } from '../src/state/outbox';
import { draftOf, targetOf } from '../src/state/targets';
import { bar, countdown, isReady } from '../src/state/view';
import { Play, entries, entry, id } from './help';

const here = () => new Play().enter();

describe('What others say', () => {
  it('is shown in the order of ids, whatever the order of arrival', () => {
    const play = here().hear(entry(3)).hear(entry(1)).hear(entry(2));
    expect(play.shown).toEqual(['m1', 'm2', 'm3']);
  });

  it('is shown once, however often it arrives', () => {
    expect(here().hear(entry(1)).hear(entry(1)).hear(entry(1)).shown).toEqual(['m1']);
  });

  it('is dated by the server, or by the page if that date makes no sense', () => {
    const play = here().hear(entry(1)).hear(entry(2, 'fox', 'x', { time: 'soon' }), 7);
    expect(play.said.map((item) => item.time - play.said[0]!.time)).toEqual([0, 6000]);
  });

  it('is not one’s own because it has one’s own name', () => {
    expect(here().hear(entry(1, '阿狸', 'x', { sid: 'other' })).said[0]!.mine).toBe(false);
  });

  it.each(['login', 'roster'] as const)('%s-like nonsense without fields changes nothing', (action) => {
    const play = here();
    const frame = action === 'login' ? { action, username: 'x', sid: 'x', time: '' } : { action, joined: [], left: [], count: 1, time: '' };
    expect(play.hear(frame).shown.filter((line) => !line.startsWith('+'))).toEqual([]);
  });

  it('an unknown action changes nothing', () => {
    const play = here();
    const before = play.state.items;
    expect(play.hear({ action: 'later' } as never).state.items).toBe(before);
  });
});

describe('What one says', () => {
  it('is shown at once, and counts as sent when it is acknowledged', () => {
    const play = here().write('hello');
    expect(play.shown).toEqual(['hello (sending)']);
    expect(play.sent('hello').ok('hello', 1).shown).toEqual(['hello']);
  });

  it.each([
    ['the ack first', (play: Play) => play.ok('a', 1).hear(entry(1, '阿狸', 'a', { sid: 'me', cid: 'a' }))],
    ['the frame first', (play: Play) => play.hear(entry(1, '阿狸', 'a', { sid: 'me', cid: 'a' })).ok('a', 1)],
    ['the frame without a cid', (play: Play) => play.ok('a', 1).hear(entry(1, '阿狸', 'a', { sid: 'me' }))],
    ['the frame twice', (play: Play) => play.hear(entry(1, '阿狸', 'a', { sid: 'me', cid: 'a' })).hear(entry(1, '阿狸', 'a', { sid: 'me', cid: 'a' })).ok('a', 1)],
    ['the replay first', (play: Play) => play.do({ type: 'cut' }).enter({ resumed: true, history: [entry(1, '阿狸', 'a')] }).ok('a', 1)],
  ])('is shown once: %s', (_, happen) => {
    const play = here().hear(entry(0)).write('a').sent('a');
    happen(play);
    expect(play.shown).toEqual(['m0', 'a']);
    expect(play.said[1]!.mine).toBe(true);
    expect(nextOut(play.state)).toBeNull();
  });

  it('keeps its row when it is acknowledged', () => {
    const play = here().write('a').sent('a');
    const key = play.said[0]!.key;
    expect(play.ok('a', 1).said[0]!.key).toBe(key);
  });

  it('takes the place that its id gives it', () => {
    const play = here().write('mine').sent('mine').hear(entry(5)).hear(entry(7)).ok('mine', 6);
    expect(play.shown).toEqual(['m5', 'mine', 'm7']);
  });

  it('stays below newer messages while it waits', () => {
    expect(here().write('mine').hear(entry(5)).shown).toEqual(['m5', 'mine (sending)']);
  });

  it('goes one at a time, in order', () => {
    const play = here().write('a').write('b').write('c');
    expect(nextOut(play.state)!.cid).toBe('a');
    expect(nextOut(play.sent('a').state)).toBeNull();
    expect(nextOut(play.ok('a', 1).state)!.cid).toBe('b');
    expect(nextOut(play.sent('b').ok('b', 2).state)!.cid).toBe('c');
  });

  it('keeps its order when the first one is refused for haste', () => {
    const play = here().write('a').write('b').sent('a').no('a', 'rate_limited', { retry_after: 2.5 });
    expect(nextOut(play.state)).toBeNull();
    expect(nextOut(play.do({ type: 'tick' }, 2.4).state)).toBeNull();
    expect(nextOut(play.do({ type: 'tick' }, 2.5).state)!.cid).toBe('a');
  });

  it('is queued, and not left in its draft, while the pace is too fast', () => {
    const play = here().write('a').sent('a').no('a', 'rate_limited', { retry_after: 2 });
    for (const text of ['b', 'c']) {
      play.do({ type: 'draft', target: targetOf(play.state), text });
      expect(isReady(play.state)).toBe(true);
      play.write(text);
    }
    expect([play.shown, play.state.drafts, nextOut(play.state)]).toEqual([['a (sending)', 'b (sending)', 'c (sending)'], [], null]);
    play.do({ type: 'tick' }, 2);
    for (const [n, cid] of ['a', 'b', 'c'].entries()) {
      expect(nextOut(play.state)?.cid).toBe(cid);
      play.sent(cid).ok(cid, n + 1);
    }
  });

  it('is counted down after a rate limit', () => {
    const play = here().write('a').sent('a').no('a', 'rate_limited', { retry_after: 3 });
    expect(countdown(play.state)).toBe(3);
    expect(countdown(play.do({ type: 'tick' }, 0.5).state)).toBe(3);
    expect(countdown(play.do({ type: 'tick' }, 1).state)).toBe(2);
    expect(countdown(play.do({ type: 'tick' }, 3).state)).toBe(0);
    expect(play.shown).toEqual(['a (sending)']);
  });

  it('waits a second where the server does not say how long', () => {
    expect(countdown(here().write('a').sent('a').no('a', 'rate_limited').state)).toBe(1);
  });

  it('is tried again under the same cid after "unavailable"', () => {
    const play = here().write('a').sent('a').no('a', 'unavailable');
    expect(countdown(play.state)).toBe(0);
    expect(nextOut(play.state)).toBeNull();
    expect(nextOut(play.do({ type: 'tick' }, 1).state)!.cid).toBe('a');
  });

  it('the bar says that it cannot be stored, until it is stored or given up', () => {
    const play = here().write('a').sent('a').no('a', 'unavailable');
    expect(bar(play.state)).toEqual({ code: 'unstored' });
    expect(bar(play.do({ type: 'tick' }, 1).sent('a').state)).toEqual({ code: 'unstored' });
    expect(bar(here().write('a').sent('a').unknown('a').state)).toBeNull();
    for (let attempt = 1; attempt < TRIES; attempt++) play.do({ type: 'tick' }, play.now + 20).sent('a').no('a', 'unavailable');
    expect([bar(play.state), play.shown]).toEqual([null, ['a (failed)']]);
    const stored = here().write('a').sent('a').no('a', 'unavailable').do({ type: 'answer', cid: 'a', ack: { ok: true, id: id(1) } });
    expect([bar(stored.state), stored.shown]).toEqual([null, ['a']]);
  });

  it('is tried again under the same cid after silence', () => {
    expect(nextOut(here().write('a').sent('a').unknown('a').state)!.cid).toBe('a');
  });

  it('is put before a person when it has been refused too often', () => {
    const play = here().write('a');
    for (let attempt = 0; attempt < TRIES; attempt++) play.do({ type: 'tick' }, play.now + 20).sent('a').no('a', 'unavailable');
    expect(play.shown).toEqual(['a (failed)']);
    expect(nextOut(play.do({ type: 'retry', key: 'a', cid: 'new' }).state)!.cid).toBe('a');
  });

  it.each(['too_long', 'never_heard_of', 'bad_request', 'empty'])('%s: not sent, and why', (code) => {
    const play = here().write('a').sent('a').no('a', code);
    expect(play.shown).toEqual(['a (failed)']);
    expect(play.said[0]!.refusal!.code).toBe(code);
    expect(nextOut(play.state)).toBeNull();
  });

  it('a refused one does not hold up the next', () => {
    expect(nextOut(here().write('a').write('b').sent('a').no('a', 'too_long').state)!.cid).toBe('b');
  });

  it('a refused one is tried again under a new cid', () => {
    const play = here().write('a').sent('a').no('a', 'never_heard_of').do({ type: 'retry', key: 'a', cid: 'new' });
    expect(nextOut(play.state)!.cid).toBe('new');
  });

  it.each(['bad_request', 'empty', 'too_long'])('what was refused for good (%s) is not tried again', (code) => {
    const play = here().write('a').sent('a').no('a', code);
    const before = play.state.items;
    expect(play.do({ type: 'retry', key: 'a', cid: 'new' }).state.items).toBe(before);
    expect(isForGood(play.said[0]!.refusal)).toBe(true);
  });

  it.each(['unavailable', 'never_heard_of', 'no_such_person'])('what was refused for now (%s) may be tried again', (code) => {
    expect(isForGood({ ok: false, code, msg: '' })).toBe(false);
    expect(isForGood(null)).toBe(false);
  });

  it('trying again what has not failed does nothing', () => {
    const play = here().write('a');
    const before = play.state.items;
    expect(play.do({ type: 'retry', key: 'a', cid: 'new' }).state.items).toBe(before);
  });

  it('can be removed when it failed', () => {
    expect(here().write('a').sent('a').no('a', 'never_heard_of').do({ type: 'drop', key: 'a' }).shown).toEqual([]);
  });

  it('a refusal that comes after the message itself is not believed', () => {
    const play = here().write('a').sent('a').hear(entry(1, '阿狸', 'a', { sid: 'me', cid: 'a' })).no('a', 'unavailable');
    expect(play.shown).toEqual(['a']);
  });

  it('an answer to something unknown changes nothing', () => {
    const play = here().hear(entry(1));
    expect(play.ok('nobody', 4).no('nobody', 'never_heard_of').unknown('nobody').shown).toEqual(['m1']);
  });

  it('//x says /x', () => {
    expect(here().write('//x', 'c').sent('c').ok('c', 1).shown).toEqual(['/x']);
  });

  it('waits while one is away', () => {
    const play = here().do({ type: 'cut' }).write('a').write('b');
    expect(play.shown).toEqual(['a (sending)', 'b (sending)']);
    expect(nextOut(play.state)).toBeNull();
    expect(nextOut(play.enter({ resumed: true }).state)!.cid).toBe('a');
  });

  it('may be written before one is in', () => {
    const play = new Play().write('early');
    expect(nextOut(play.state)).toBeNull();
    expect(nextOut(play.enter().state)!.cid).toBe('early');
    expect(play.said[0]!.name).toBe('阿狸');
  });

  it('carries the name that the user has when it is sent', () => {
    const play = here().do({ type: 'cut' }).write('a').enter({ username: 'other' });
    expect(play.said[0]!.name).toBe('other');
  });

  it('brings one to the end, and the line "New" goes', () => {
    const play = here().do({ type: 'scrolled', atBottom: false }).hear(entry(1));
    expect(play.state.lineAt).not.toBeNull();
    play.write('a');
    expect([play.state.lineAt, play.state.atBottom, play.state.unread]).toEqual([null, true, 0]);
  });
});

describe('A message that failed', () => {
  const failed = () => here().hear(entry(1)).write('x').sent('x').no('x', 'too_long');

  it('keeps its place above later messages', () => {
    const play = failed().hear(entry(2)).write('y').sent('y').ok('y', 3);
    expect(play.shown).toEqual(['m1', 'x (failed)', 'm2', 'y']);
  });

  it('tried again goes to the end', () => {
    const play = here().hear(entry(1)).write('x').sent('x').no('x', 'never_heard_of').hear(entry(2)).do({ type: 'retry', key: 'x', cid: 'z' });
    expect([play.shown, nextOut(play.state)?.cid]).toEqual([['m1', 'm2', 'x (sending)'], 'z']);
  });

  it('returns to the draft in another room', () => {
    const play = failed().hear(entry(2)).do({ type: 'go', room: 'den' }).do({ type: 'go', room: 'lobby' });
    expect(draftOf(play.state)).toBe('x');
  });

  it('stays when the rows around it go', () => {
    const play = failed();
    for (let n = 2; n < 700; n++) play.hear(entry(n));
    expect(play.shown[0]).toBe('x (failed)');
  });
});

describe('In flight when the connection broke', () => {
  const cut = () => here().hear(entry(0)).write('a').sent('a').do({ type: 'cut' });

  it('is sent again under the same cid by the same identity', () => {
    expect(nextOut(cut().enter({ resumed: true }).state)!.cid).toBe('a');
  });

  it('is not sent automatically under another identity: it may have arrived', () => {
    const play = cut().enter({ resumed: false, username: 'other' });
    expect(play.said.find((item) => item.mine)!.fate).toBe('failed');
    expect(nextOut(play.state)).toBeNull();
  });

  it('what waited behind it returns to the draft of another identity', () => {
    const play = here().write('a').write('b').sent('a').do({ type: 'cut' }).enter({ resumed: false, username: 'other' });
    expect([nextOut(play.state), play.shown.slice(-2), draftOf(play.state)]).toEqual([null, ['a (failed)', '[you_are]'], 'b']);
  });

  it('the answer that was lost does not come later', () => {
    expect(nextOut(cut().unknown('a').enter({ resumed: true }).state)!.cid).toBe('a');
  });

  it('tries while away do not count', () => {
    const play = cut();
    for (let attempt = 0; attempt < 20; attempt++) play.unknown('a');
    expect(play.said[1]!.fate).toBe('sending');
  });
});

describe('A whisper', () => {
  const whispering = () => here().roster([['fox', 'f']], []).do({ type: 'whisper_to', name: 'fox', sid: 'f' });

  it('goes to the partner only', () => {
    const out = nextOut(whispering().write('psst').state)!;
    expect([out.kind, out.kind === 'whisper' && out.to]).toEqual(['whisper', 'fox']);
  });

  it.each([
    ['the ack first', (play: Play) => play.do({ type: 'answer', cid: 'psst', ack: { ok: true } }).hear({ action: 'whisper', username: '阿狸', to: 'fox', msg: 'psst', time: '' })],
    ['the frame first', (play: Play) => play.hear({ action: 'whisper', username: '阿狸', to: 'fox', msg: 'psst', time: '' }).do({ type: 'answer', cid: 'psst', ack: { ok: true } })],
  ])('is shown once: %s', (_, happen) => {
    const play = whispering().write('psst').sent('psst');
    happen(play);
    expect(play.whispers.map((item) => item.fate)).toEqual(['said']);
  });

  it('the same words twice are two whispers', () => {
    const frame = { action: 'whisper', username: '阿狸', to: 'fox', msg: 'hi', time: '' } as const;
    const play = whispering().write('hi', '1').write('hi', '2').sent('1').hear(frame).do({ type: 'answer', cid: '1', ack: { ok: true } });
    play.sent('2').do({ type: 'answer', cid: '2', ack: { ok: true } }).hear(frame);
    expect(play.whispers).toHaveLength(2);
    expect(play.whispers.every((item) => item.echoed)).toBe(true);
  });

  it('is not sent again by itself: it may have arrived', () => {
    const play = whispering().write('psst').sent('psst').do({ type: 'cut' });
    expect(play.whispers[0]!.fate).toBe('failed');
    expect(nextOut(play.enter({ resumed: true }, { name_list: [['fox', 'f']] }).state)).toBeNull();
  });

  it('that was not yet in flight is sent after a return', () => {
    const play = whispering().do({ type: 'cut' }).write('psst').enter({ resumed: true }, { name_list: [['fox', 'f']] });
    expect(nextOut(play.state)!.kind).toBe('whisper');
  });

  it('unavailable or unanswered: a person decides', () => {
    expect(whispering().write('x').sent('x').no('x', 'unavailable').whispers[0]!.fate).toBe('failed');
    expect(whispering().write('x').sent('x').unknown('x').whispers[0]!.fate).toBe('failed');
  });

  it('too hasty, it waits like any other', () => {
    const play = whispering().write('x').sent('x').no('x', 'rate_limited', { retry_after: 2 });
    expect([play.whispers[0]!.fate, countdown(play.state)]).toEqual(['sending', 2]);
  });

  it('from another moves nothing in the composer', () => {
    const play = here().hear({ action: 'whisper', username: 'fox', to: '阿狸', msg: 'psst', time: '' });
    expect([play.state.partner, play.shown]).toEqual([null, ['fox>阿狸: psst']]);
  });

  it('from another while one looks elsewhere counts as being spoken to', () => {
    const play = here().do({ type: 'visible', visible: false }).hear({ action: 'whisper', username: 'fox', to: '阿狸', msg: 'psst', time: '' });
    expect([play.state.unread, play.state.mentions]).toEqual([1, 1]);
  });

  it('in an empty room stands where later talk comes after it', () => {
    const play = whispering().write('psst').sent('psst').do({ type: 'answer', cid: 'psst', ack: { ok: true } }).hear(entry(1));
    expect(play.shown.slice(-2)).toEqual(['阿狸>fox: psst', 'm1']);
  });

  it('the partner’s leave is shown, and nothing is sent', () => {
    const play = whispering().roster([], [['fox', 'f']]).do({ type: 'tick' }, 5);
    expect([play.state.partner?.gone, play.shown.slice(-1)]).toEqual([true, ['[partner_left]']]);
  });

  it('the partner’s leave is shown once', () => {
    const play = whispering().roster([], [['fox', 'f']]).do({ type: 'tick' }, 120);
    expect(play.shown.filter((line) => line.includes('left') || line.includes('-fox'))).toEqual(['[partner_left]']);
  });

  it('follows the partner to another name', () => {
    const play = whispering().hear({ action: 'rename', username: 'fox', to: 'wolf', sid: 'f', msg: '', time: '' });
    expect(play.state.partner).toEqual({ name: 'wolf', sid: 'f', gone: false });
  });

  it('a partner who left while the user was away is shown', () => {
    const play = whispering().do({ type: 'cut' }).enter({ resumed: true }).do({ type: 'tick' }, 5);
    expect([play.state.partner?.gone, play.shown.includes('[partner_left]')]).toEqual([true, true]);
  });

  it('ends when it is closed', () => {
    const play = whispering().do({ type: 'whisper_end' }).write('loud');
    expect(nextOut(play.state)!.kind).toBe('said');
  });
});

describe('Unread', () => {
  it('is nothing while one looks at the end', () => {
    expect(here().hear(entry(1)).state.unread).toBe(0);
  });

  it.each([
    ['scrolled up', { type: 'scrolled', atBottom: false }],
    ['looking elsewhere', { type: 'visible', visible: false }],
  ] as const)('%s: counted, and the line stands above the first', (_, away) => {
    const play = here().hear(entry(1)).do(away).hear(entry(2)).hear(entry(3));
    expect([play.state.unread, play.state.lineAt]).toEqual([2, id(2)]);
  });

  it.each([
    ['scrolled down', { type: 'scrolled', atBottom: false }, { type: 'scrolled', atBottom: true }],
    ['come back', { type: 'visible', visible: false }, { type: 'visible', visible: true }],
  ] as const)('%s: nothing is unread, and the line still shows where', (_, away, back) => {
    const play = here().do(away).hear(entry(2)).do(back);
    expect([play.state.unread, play.state.lineAt]).toEqual([0, id(2)]);
  });

  it('the line goes when talk goes on before one’s eyes', () => {
    const play = here().do({ type: 'scrolled', atBottom: false }).hear(entry(2)).do({ type: 'scrolled', atBottom: true }).hear(entry(3));
    expect(play.state.lineAt).toBeNull();
  });

  it('at the end but looking elsewhere is still unread', () => {
    const play = here().do({ type: 'visible', visible: false }).do({ type: 'scrolled', atBottom: false }).hear(entry(1)).do({ type: 'scrolled', atBottom: true });
    expect(play.state.unread).toBe(1);
  });

  it('one’s own from elsewhere is not unread', () => {
    expect(here().do({ type: 'visible', visible: false }).hear(entry(1, '阿狸', 'x', { sid: 'me' })).state.unread).toBe(0);
  });

  it.each([
    ['hi @阿狸', 1],
    ['@阿狸你好', 1],
    ['阿狸 without a sign', 0],
  ])('"%s" is spoken to one %i times', (msg, count) => {
    const play = here().do({ type: 'visible', visible: false }).hear(entry(1, 'fox', msg));
    expect(play.state.mentions).toBe(count);
  });

  it('history is not announced, arrivals are', () => {
    const play = new Play().enter({ history: entries(1, 5) });
    expect(play.state.received).toBe(0);
    expect(play.hear(entry(6)).state.received).toBe(1);
  });
});

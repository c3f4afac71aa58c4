import { describe, expect, it } from 'vitest';
import { isForGood, nextOut } from '../src/state/outbox';
import { begin } from '../src/state/reduce';
import { ABSENT_MS, MOST_DRAFTS, asideOf, draftOf, longestDraft, namesake, pack, targetOf, unpack } from '../src/state/targets';
import { step } from '../src/state/recall';
import type { Target } from '../src/state/types';
import { isReady } from '../src/state/view';
import type { Ack, Pair } from '../src/wire';
import { Play, entry, random } from './help';

const FOX: Pair = ['fox', 'f'];
const OWL: Pair = ['owl', 'o'];

/** In a room with fox and owl. */
const here = (): Writer => new Writer().enter({}, { name_list: [FOX, OWL] });
/** Whispering to fox. */
const whispering = (): Writer => here().to('fox', 'f').type('secret');

class Writer extends Play {
  type(text: string): this {
    return this.do({ type: 'draft', target: targetOf(this.state), text });
  }

  to(name: string, sid: string): this {
    return this.do({ type: 'whisper_to', name, sid });
  }

  end(): this {
    return this.do({ type: 'whisper_end' });
  }

  rename(sid: string, username: string, to: string): this {
    return this.hear({ action: 'rename', username, to, sid, msg: '', time: '' });
  }

  /** As after a reload, in the same tab. */
  reload(room = this.state.room): this {
    this.state = begin(room, this.state.token, this.state.now, unpack(pack(this.state), room));
    return this;
  }

  get draft(): string {
    return draftOf(this.state);
  }
}

describe('A draft', () => {
  it('of a whisper stays behind when the whisper ends', () => {
    expect(whispering().end().draft).toBe('');
  });

  it('returns when the user returns to that person', () => {
    expect(whispering().end().type('for all').to('fox', 'f').draft).toBe('secret');
  });

  it('for the room waits during a whisper', () => {
    const play = here().type('for all').to('fox', 'f');
    expect([play.draft, play.end().draft]).toEqual(['', 'for all']);
  });

  it('for one person is not shown to another', () => {
    const play = whispering().to('owl', 'o');
    expect([play.draft, play.to('fox', 'f').draft]).toEqual(['', 'secret']);
  });

  it('stays with its room', () => {
    const play = here().type('for all').enter({}, { room: 'den' });
    expect(play.draft).toBe('');
    expect(play.enter({}, { room: 'Lobby' }).draft).toBe('for all');
  });

  it('of a whisper stays behind with its room', () => {
    const play = whispering().enter({}, { room: 'den', name_list: [FOX] });
    expect([play.state.partner, play.draft]).toEqual([null, '']);
  });

  it('stays with a partner who leaves', () => {
    const play = absent(whispering().roster([], [FOX]));
    expect([play.draft, isReady(play.state), play.end().draft]).toEqual(['secret', false, '']);
  });

  it.each([
    ['a cut', (play: Writer) => play.do({ type: 'cut' }).enter({ resumed: true }, { name_list: [FOX] })],
    [
      'another tab that took over',
      (play: Writer) =>
        play
          .hear({ action: 'notice', username: '*', msg: '', code: 'replaced', time: '' })
          .do({ type: 'cut' })
          .do({ type: 'again' })
          .enter({ resumed: true }, { name_list: [FOX] }),
    ],
    ['a reload', (play: Writer) => play.reload().enter({ resumed: true }, { name_list: [FOX] })],
  ])('and its target outlive %s', (_, happen) => {
    const play = whispering();
    happen(play);
    expect([play.state.partner, play.draft, isReady(play.state)]).toEqual([{ name: 'fox', sid: 'f', gone: false }, 'secret', true]);
    expect(play.end().draft).toBe('');
  });

  it('is cleared when it is sent, and no other is', () => {
    const play = here().type('for all').to('fox', 'f').type('secret').write('secret');
    expect([play.draft, play.end().draft]).toEqual(['', 'for all']);
  });

  it('follows its person to another name', () => {
    const play = whispering().end().rename('f', 'fox', 'wolf');
    expect(play.to('wolf', 'f').draft).toBe('secret');
  });

  it('follows a name that changed while the user was away', () => {
    const play = whispering().do({ type: 'cut' }).enter({ resumed: true }, { name_list: [['wolf', 'f']] });
    expect([play.state.partner, play.draft]).toEqual([{ name: 'wolf', sid: 'f', gone: false }, 'secret']);
  });

  it('does not go to the person who takes the name', () => {
    const play = whispering().end().rename('f', 'fox', 'wolf').roster([['fox', 'g']], []);
    expect(play.to('fox', 'g').draft).toBe('');
  });

  it('from before the partner left comes back with a warning', () => {
    const play = whispering().roster([], [FOX]).roster([['fox', 'g']], []).to('fox', 'g');
    expect([play.draft, play.state.problem?.code]).toEqual(['secret', 'written_before']);
    expect([play.end().draft, play.state.drafts.length]).toEqual(['', 1]);
  });

  it('from before the partner left is sent once the warning could be read', () => {
    const play = whispering().roster([], [FOX]).roster([['fox', 'g']], []).to('fox', 'g');
    expect([nextOut(play.write('secret', 'a').state), play.state.problem?.code]).toEqual([null, 'written_before']);
    expect(nextOut(play.do({ type: 'tick' }, 2).write('secret', 'b').state)).toMatchObject({ kind: 'whisper', toSid: 'g' });
  });

  it('from before the partner left is asked about again when the user types on', () => {
    const play = whispering().roster([], [FOX]).roster([['fox', 'g']], []).to('fox', 'g').do({ type: 'tick' }, 1) as Writer;
    play.type('secret, are you fox?').write('secret, are you fox?', 'a');
    expect([nextOut(play.state), play.state.problem?.code, play.draft]).toEqual([null, 'confirm', 'secret, are you fox?']);
    expect(nextOut(play.do({ type: 'tick' }, 3).write('secret, are you fox?', 'b').state)).toMatchObject({ toSid: 'g' });
  });

  it('from before never takes the place of a newer one', () => {
    const play = whispering().end().roster([['fox', 'g']], [FOX]);
    play.do({ type: 'draft', target: { room: 'lobby', to: { sid: 'g', name: 'fox' } }, text: 'newer' });
    expect([play.to('fox', 'g').draft, play.state.problem]).toEqual(['newer', null]);
  });

  it('that was refused returns to its own target', () => {
    const play = here().to('fox', 'f');
    play.write('/nonsense').end().type('for all').do({ type: 'commanded', ack: { ok: false, code: 'unknown_command', msg: '' } });
    expect([play.draft, play.state.problem?.code]).toEqual(['for all', 'unknown_command']);
    expect(play.to('fox', 'f').draft).toBe('/nonsense');
  });

  it('that was refused waits beside what was written since', () => {
    const play = here().write('/to fox secret').type('more').do({ type: 'commanded', ack: null }) as Writer;
    expect([play.draft, asideOf(play.state)]).toEqual(['more', '/to fox secret']);
  });

  it('beyond the twentieth is forgotten, the oldest first', () => {
    const play = here().type('first');
    for (let n = 0; n < MOST_DRAFTS; n++) play.to(`n${n}`, `s${n}`).type(`t${n}`);
    expect([play.state.drafts.length, play.draft, play.end().draft]).toEqual([MOST_DRAFTS, `t${MOST_DRAFTS - 1}`, '']);
  });

  it('keeps a pasted text whole, far over what may be sent', () => {
    expect(here().type('x'.repeat(18_000)).draft.length).toBe(18_000);
  });

  it('is bounded, and no character of it is cut in two', () => {
    const play = here().type('x' + '😀'.repeat(60_000));
    expect(play.draft.length).toBe(longestDraft(play.state) - 1);
    expect(play.draft.endsWith('😀')).toBe(true);
  });
});

/** Let so much time go by that who is absent has left. */
function absent(play: Writer): Writer {
  return play.do({ type: 'tick' }, play.now + ABSENT_MS / 1000);
}

describe('After a reload', () => {
  it('an absent partner has soon left, and nothing is sent', () => {
    const play = absent(whispering().reload().enter({ resumed: true }, { name_list: [OWL] }));
    expect([play.state.partner, play.draft, isReady(play.state)]).toMatchObject([{ name: 'fox', sid: 'f', gone: true }, 'secret', false]);
    expect(nextOut(play.write('secret').state)).toBeNull();
    expect(play.draft).toBe('secret');
  });

  it('another session of that name is not the partner', () => {
    const play = whispering().reload().enter({ resumed: true }, { name_list: [['fox', 'g']] });
    expect([play.state.partner?.sid, namesake(play.state)]).toEqual(['f', { sid: 'g', name: 'fox' }]);
    play.do({ type: 'met', sid: 'f', person: null });
    expect([play.state.partner?.gone, isReady(play.state), namesake(play.state)]).toEqual([true, false, { sid: 'g', name: 'fox' }]);
  });

  it('text written before joining waits for its partner', () => {
    const play = whispering().reload().write('secret');
    expect(nextOut(play.state)).toBeNull();
    expect(nextOut(play.enter({ resumed: true }, { name_list: [FOX] }).state)).toMatchObject({ kind: 'whisper', to: 'fox', toSid: 'f' });
  });

  it('text written before joining goes to no namesake', () => {
    const play = whispering().reload().write('secret').enter({ resumed: true }, { name_list: [['fox', 'g']] });
    // The server knows whether that is the same person, and refuses if not.
    expect(nextOut(play.state)).toMatchObject({ kind: 'whisper', toSid: 'f' });
    play.sent('secret').no('secret', 'no_such_person');
    expect([nextOut(play.state), play.whispers[0]!.refusal?.code]).toEqual([null, 'recipient_other']);
  });

  it('in another room the whisper and its draft stay behind', () => {
    const play = whispering().reload('den');
    expect([play.state.partner, play.draft]).toEqual([null, '']);
    expect(play.enter({}, { room: 'den', name_list: [FOX] }).to('fox', 'f').draft).toBe('');
  });

  it.each([
    ['is there again when the user comes back', (play: Writer) => play.enter({}, { room: 'lobby', name_list: [FOX] }), false],
    ['is there again after the page was reloaded in the other room', (play: Writer) => play.reload('den').enter({}, { room: 'den' }).enter({}, { room: 'lobby', name_list: [FOX] }), false],
    ['is there again when the connection is a new one', (play: Writer) => play.do({ type: 'go', room: 'lobby' }).enter({}, { room: 'lobby', name_list: [FOX] }), false],
    ['sends nothing when the user comes back and the partner has left', (play: Writer) => play.enter({}, { room: 'lobby', name_list: [] }).do({ type: 'tick' }, 60), true],
  ])('that was left by changing rooms %s', (_, back, isGone) => {
    const play = here().do({ type: 'whisper_to', name: 'fox', sid: 'f' }).enter({}, { room: 'den' }) as Writer;
    expect(play.state.partner).toBeNull();
    back(play);
    expect(play.state.partner).toMatchObject({ sid: 'f', gone: isGone });
    play.write('secret');
    expect(nextOut(play.state)?.kind).toBe(isGone ? undefined : 'whisper');
    expect(play.said).toEqual([]);
    play.do({ type: 'whisper_end' }).enter({}, { room: 'den' }).enter({}, { room: 'lobby', name_list: [FOX] });
    expect(play.state.partner).toBeNull();
  });

  it('nothing is kept of nothing', () => {
    expect(pack(here().state)).toBeNull();
    expect(pack(here().type('x').type('').state)).toBeNull();
  });

  it.each(['', '{', 'null', '7', '[]', '"secret"', '{"room":"lobby"}', '{"room":"lobby","to":{"sid":1,"name":"x"}}', '{"room":7,"to":null,"drafts":[]}'])(
    'what is no draft is nothing: %s',
    (text) => expect(unpack(text, 'lobby')).toMatchObject({ partner: null, drafts: [] }),
  );

  it('a whole draft beside broken ones is kept', () => {
    const whole = { room: 'lobby', to: null, text: 'x' };
    const text = JSON.stringify({ room: 'lobby', to: null, drafts: [whole, { ...whole, text: 7 }, { ...whole, to: 'fox' }, null, 'x'] });
    expect(unpack(text, 'lobby').drafts).toEqual([whole]);
  });
});

describe('A partner', () => {
  it('who left is not the person who takes the name', () => {
    const play = whispering().roster([], [FOX]).roster([['fox', 'g']], []).do({ type: 'met', sid: 'f', person: null });
    expect([play.state.partner, isReady(play.state)]).toMatchObject([{ name: 'fox', sid: 'f', gone: true }, false]);
    expect([namesake(play.state), play.shown]).toEqual([{ sid: 'g', name: 'fox' }, ['[partner_other]']]);
    const whole = play.do({ type: 'whisper_to', sid: 'g', name: 'fox', confirmed: true }).do({ type: 'tick' }, 2).write('x');
    expect([nextOut(whole.state), whole.shown]).toMatchObject([{ toSid: 'g', confirmed: true }, ['阿狸>fox: x (sending)']]);
  });

  it.each([
    ['one frame', (play: Writer) => play.roster([['fox', 'g']], [FOX])],
    ['two', (play: Writer) => play.roster([], [FOX]).roster([['fox', 'g']], [])],
    ['two, long after', (play: Writer) => absent(play.roster([], [FOX])).roster([['fox', 'g']], [])],
  ])('replaced within %s goes on with the session that the server names', (_, happen) => {
    const play = whispering();
    happen(play);
    expect([play.state.partner?.sid, namesake(play.state)]).toEqual(['f', { sid: 'g', name: 'fox' }]);
    play.do({ type: 'met', sid: 'f', person: { sid: 'g', name: 'fox' } });
    expect([play.state.partner, play.draft, namesake(play.state)]).toEqual([{ sid: 'g', name: 'fox', gone: false }, 'secret', null]);
    expect(nextOut(play.write('secret').state)).toMatchObject({ kind: 'whisper', toSid: 'g' });
  });

  it('someone who comes back soon is not shown to have left', () => {
    const play = whispering().roster([], [FOX]).roster([['fox', 'g']], []).do({ type: 'met', sid: 'f', person: { sid: 'g', name: 'fox' } });
    expect(play.do({ type: 'tick' }, 60).shown).toEqual([]);
  });

  it('the answer about an earlier one changes nothing', () => {
    const play = whispering().roster([], [FOX]).to('owl', 'o').do({ type: 'met', sid: 'f', person: null });
    expect(play.state.partner).toEqual({ sid: 'o', name: 'owl', gone: false });
  });

  it('chosen again can be written to', () => {
    const play = whispering().roster([['fox', 'g']], [FOX]).to('fox', 'g');
    expect([isReady(play.state), namesake(play.state)]).toEqual([true, null]);
    expect(nextOut(play.do({ type: 'tick' }, 2).write('psst').state)).toMatchObject({ kind: 'whisper', to: 'fox', toSid: 'g' });
  });

  it('whose name the user has taken is not there', () => {
    expect(namesake(whispering().roster([], [FOX]).rename('me', '阿狸', 'fox').state)).toBeNull();
  });
});

describe('A whisper that waits', () => {
  const waiting = () => whispering().do({ type: 'cut' }).write('secret');

  it('is not sent to another session of that name', () => {
    const play = waiting().enter({ resumed: true }, { name_list: [['fox', 'g']] });
    expect(nextOut(play.state)).toMatchObject({ kind: 'whisper', toSid: 'f' });
  });

  it('follows its person to another name', () => {
    const play = waiting().enter({ resumed: true }, { name_list: [['wolf', 'f'], ['fox', 'g']] });
    expect(nextOut(play.state)).toMatchObject({ kind: 'whisper', to: 'wolf', toSid: 'f' });
  });

  it('follows one that was refused as too fast', () => {
    const play = whispering().write('a').sent('a').no('a', 'rate_limited', { retry_after: 1 });
    play.rename('f', 'fox', 'wolf').do({ type: 'tick' }, 2);
    expect(nextOut(play.state)).toMatchObject({ to: 'wolf' });
  });

  it('in flight is the server’s to refuse', () => {
    const play = whispering().write('a').sent('a').roster([], [FOX]);
    expect(play.whispers[0]!.fate).toBe('sending');
    expect(play.no('a', 'no_such_person').whispers[0]).toMatchObject({ fate: 'failed', refusal: { code: 'recipient_left' } });
    expect(play.state.partner?.gone).toBe(true);
  });

  it.each([
    ['ended', (play: Writer) => play.end()],
    ['turned to another', (play: Writer) => play.to('owl', 'o')],
  ])('is tried again as a whisper to the same person, the whisper having %s', (_, happen) => {
    const play = whispering().write('x').sent('x').unknown('x');
    happen(play);
    play.do({ type: 'retry', key: 'x', cid: 'y' });
    expect(nextOut(play.state)).toMatchObject({ kind: 'whisper', to: 'fox', toSid: 'f' });
  });

  it('is retried with a namesake only after the page has said so', () => {
    const play = whispering().write('x').sent('x').unknown('x').roster([['fox', 'g']], [FOX]).do({ type: 'retry', key: 'x', cid: 'y' });
    expect(nextOut(play.state)).toMatchObject({ kind: 'whisper', toSid: 'f' });
    play.sent('x').no('x', 'no_such_person');
    expect([play.whispers[0]!.refusal?.code, isForGood(play.whispers[0]!.refusal)]).toEqual(['recipient_other', false]);
    expect(nextOut(play.do({ type: 'retry', key: 'x', cid: 'z' }, 2).state)).toMatchObject({ toSid: 'g', confirmed: true });
  });

  it('refused since the name was another’s is sent to the same session again', () => {
    const play = whispering().write('x').sent('x').no('x', 'no_such_person', { again: true, restarted: true });
    expect([play.whispers[0]!.refusal, play.state.partner?.gone]).toMatchObject([{ code: 'recipient_other', msg: '', restarted: true }, false]);
    expect(nextOut(play.do({ type: 'retry', key: 'x', cid: 'y' }, 2).state)).toMatchObject({ toSid: 'f', confirmed: true });
  });

  it.each([0, 1])('after a refused one is not confirmed (asked: %i) once the partner has left', (asked) => {
    const play = whispering().write('x').sent('x').no('x', 'no_such_person', { again: true }) as Writer;
    play.type('more');
    if (asked) expect(play.write('more').state.problem?.code).toBe('confirm');
    play.roster([], [FOX], play.now + 1).write('more', 'y');
    expect([play.state.partner?.gone, play.state.problem, play.draft, nextOut(play.state)]).toEqual([true, null, 'more', null]);
    expect(play.shown.at(-1)).toBe('[partner_left]');
  });

  it('after a refused one is confirmed again after a return', () => {
    const play = whispering().write('x').sent('x').no('x', 'no_such_person', { again: true }) as Writer;
    play.type('more').roster([], [FOX]).write('more', 'y').roster([['fox', 'g']], []);
    play.do({ type: 'met', sid: 'f', person: { sid: 'g', name: 'fox' } }).write('more', 'z');
    expect([play.state.partner, play.state.problem?.code, nextOut(play.state)]).toEqual([{ sid: 'g', name: 'fox', gone: false }, 'confirm', null]);
  });

  it.each([
    ['is somebody else', (play: Writer) => play.sent('x').no('x', 'no_such_person', { again: true })],
    ['has left', (play: Writer) => play.sent('x').no('x', 'no_such_person')],
    ['may have it: nobody knows', (play: Writer) => play.sent('x').do({ type: 'cut' }).enter({ resumed: true }, { name_list: [FOX, OWL] })],
  ])('whose recipient %s holds back only what was written to them', (_, happen) => {
    const play = whispering().write('x').write('x2') as Writer;
    play.end().write('for all').to('owl', 'o').write('for owl').end();
    happen(play);
    expect(nextOut(play.state)).toMatchObject({ kind: 'said', text: 'for all' });
    play.sent('for all').ok('for all', 1);
    expect(nextOut(play.state)).toMatchObject({ kind: 'whisper', toSid: 'o', text: 'for owl' });
    expect([play.state.held, play.draft, play.to('fox', 'f').draft]).toEqual([false, '', 'x2']);
  });

  it('to a partner who comes back has a recipient again', () => {
    const play = whispering().roster([], [FOX]).write('x').sent('x').no('x', 'no_such_person');
    expect([play.whispers[0]!.refusal?.code, play.shown.includes('[partner_left]')]).toEqual(['recipient_left', true]);
    play.roster([['fox', 'g']], []).do({ type: 'met', sid: 'f', person: { sid: 'g', name: 'fox' } });
    expect([play.whispers[0]!.refusal, play.shown.includes('[partner_left]'), play.state.partner?.gone]).toEqual([null, false, false]);
    expect(nextOut(play.do({ type: 'retry', key: 'x', cid: 'y' }).state)).toMatchObject({ toSid: 'g' });
  });

  it('whose outcome is unknown is retried as the same whisper', () => {
    const play = whispering().write('x').sent('x').unknown('x').do({ type: 'retry', key: 'x', cid: 'y' });
    expect(nextOut(play.state)?.cid).toBe('x');
    const back = whispering().write('x').sent('x').unknown('x').roster([['fox', 'g']], [FOX]).do({ type: 'met', sid: 'f', person: { sid: 'g', name: 'fox' } });
    expect(nextOut(back.do({ type: 'retry', key: 'x', cid: 'y' }).state)).toMatchObject({ cid: 'x', toSid: 'g' });
  });

  it('refused is retried as a new one', () => {
    expect(nextOut(whispering().write('x').sent('x').no('x', 'never_heard_of').do({ type: 'retry', key: 'x', cid: 'y' }).state)?.cid).toBe('y');
  });

  it.each([
    ['its outcome is unknown', (play: Writer) => play.unknown('x')],
    ['its recipient has left', (play: Writer) => play.roster([], [FOX]).no('x', 'no_such_person')],
  ])('is retried with the person chosen instead only after the page has asked about it: %s', (_, fail) => {
    const play = whispering().write('x').sent('x') as Writer;
    fail(play);
    // The server has asked about another text, and will not ask again.
    play.roster([['fox', 'g']], [FOX]).to('fox', 'g').write('y').sent('y').ok('y', 1);
    play.do({ type: 'retry', key: 'x', cid: 'z' });
    expect(nextOut(play.state)).toMatchObject({ kind: 'whisper', toSid: 'f' });
    const { cid } = nextOut(play.state)!;
    play.sent(cid!).no(cid!, 'no_such_person');
    const { key, refusal } = play.whispers.find(({ text }) => text === 'x')!;
    expect(refusal?.code).toBe('recipient_other');
    // The second click of two was made before the question could be read.
    expect(nextOut(play.do({ type: 'retry', key, cid: 'w' }, play.now + 0.5).state)).toBeNull();
    expect(nextOut(play.do({ type: 'retry', key, cid: 'w' }, play.now + 1.5).state)).toMatchObject({ cid: 'w', toSid: 'g', confirmed: true });
  });

  it('//x whispers /x', () => {
    expect(nextOut(here().to('fox', 'f').write('//x', 'c').state)).toMatchObject({ kind: 'whisper', text: '//x' });
  });
});

describe('A room that changes while a whisper is written', () => {
  const moved = () => whispering().enter({}, { room: 'den' });

  it('sends the rest to everyone only when asked twice', () => {
    const play = moved().type('cret');
    expect([nextOut(play.write('cret', 'a').state), play.draft, play.state.problem?.code]).toEqual([null, 'cret', 'confirm']);
    expect(nextOut(play.do({ type: 'tick' }, 2).write('cret', 'b').state)).toMatchObject({ kind: 'said', text: 'cret' });
  });

  it('asks only once after a choice', () => {
    expect(nextOut(moved().to('fox', 'f').end().write('a').state)).toMatchObject({ kind: 'said' });
  });

  it.each([
    ['nothing was written', () => here().to('fox', 'f')],
    ['it was for everyone', () => here().type('for all')],
  ])('asks for nothing twice where %s', (_, before) => {
    expect(nextOut(before().enter({}, { room: 'den' }).write('a').state)).toMatchObject({ kind: 'said' });
  });
});

describe('The user’s earlier messages', () => {
  const texts = (play: Play): string[] => {
    const found: string[] = [];
    for (let at = step(play.state, null, -1); at; at = step(play.state, at.key, -1)) found.push(at.text);
    return found;
  };
  const talked = (): Writer =>
    here().write('a').sent('a').ok('a', 1).hear(entry(2)).write('b').sent('b').ok('b', 3)
      .to('fox', 'f').write('x').sent('x').do({ type: 'answer', cid: 'x', ack: { ok: true } })
      .to('owl', 'o').write('y').sent('y').do({ type: 'answer', cid: 'y', ack: { ok: true } }).end() as Writer;

  it('are stepped through from the last, of others’ none', () => {
    expect(texts(talked())).toEqual(['b', 'a']);
  });

  it('in a whisper are the whispers to that person', () => {
    expect(texts(talked().to('fox', 'f'))).toEqual(['x']);
    expect(texts(talked().to('owl', 'o'))).toEqual(['y']);
  });

  it('are not those to an earlier session of that name', () => {
    expect(texts(talked().roster([['fox', 'g']], [FOX]).to('fox', 'g'))).toEqual([]);
  });

  it('to a person keep with the person', () => {
    expect(texts(talked().rename('f', 'fox', 'wolf').to('wolf', 'f'))).toEqual(['x']);
  });

  it('whispered by a command are in that whisper alone', () => {
    const play = here().hear({ action: 'whisper', username: '阿狸', to: 'fox', msg: 'psst', time: '' }) as Writer;
    expect([texts(play), texts(play.to('fox', 'f'))]).toEqual([[], ['psst']]);
  });

  it('are stepped through forwards as well', () => {
    const play = talked();
    const first = step(play.state, step(play.state, null, -1)!.key, -1)!;
    expect([step(play.state, first.key, 1)?.text, step(play.state, step(play.state, first.key, 1)!.key, 1)]).toEqual(['b', null]);
  });

  it('that are gone lead nowhere', () => {
    expect([step(talked().state, 'gone', -1), step(talked().state, 'gone', 1)]).toEqual([null, null]);
  });

  it('come as they would be typed', () => {
    const play = here().write('//who', 'c').sent('c').ok('c', 1) as Writer;
    expect([play.shown, texts(play)]).toEqual([['/who'], ['//who']]);
  });
});

describe.each(Array.from({ length: 40 }, (_, seed) => seed))('Whatever happens (%i)', (seed) => {
  it('text typed for one person is sent to no one else', () => {
    const below = random(seed);
    const play = new Writer();
    /** The first session of the person whose session it is: the server knows people by their tokens. */
    const people = new Map<string, string>();
    const person = (sid: string): string => people.get(sid) ?? sid;
    /** The people that the user chose in the place of one who had gone. */
    const heirs = new Map<string, Set<string>>();
    const names = ['fox', 'owl', 'wolf'];
    let present: Pair[] = [];
    let rooms = 'den';
    let sessions = 0;
    let sent = 0;
    const label = ({ room, to }: Target): string => (to ? `for ${to.sid}` : `for all in ${room}`);
    const join = (): void => {
      const free = names.filter((name) => !present.some(([taken]) => taken === name));
      if (free.length > 0) present.push([free[below(free.length)]!, `s${++sessions}`]);
    };
    const enter = (): void => void play.enter({ resumed: true }, { room: rooms, name_list: present });
    join();
    enter();

    const choose = (): void => {
      const [name, sid] = present[below(present.length)] ?? [];
      if (name === undefined || sid === undefined) return;
      const before = new Set(play.state.drafts.filter((draft) => draft.to?.name === name).map((draft) => draft.to!.sid));
      if (play.state.partner?.name === name) before.add(play.state.partner.sid);
      for (const old of before.keys()) {
        if (!present.some(([, there]) => there === old)) heirs.set(person(old), (heirs.get(person(old)) ?? new Set()).add(person(sid)));
      }
      play.to(name, sid);
    };
    const happenings: (() => void)[] = [
      () => play.type(label(targetOf(play.state))),
      () => {
        if (isReady(play.state)) play.write(play.draft, `c${++sent}`);
      },
      choose,
      () => play.end(),
      () => {
        const [gone] = present.splice(below(present.length + 1), 1);
        if (gone && play.state.link.at === 'here') play.roster([], [gone]);
      },
      () => {
        const before = present.length;
        join();
        if (present.length > before && play.state.link.at === 'here') play.roster([present[before]!], []);
      },
      () => {
        const pair = present[below(present.length + 1)];
        const free = names.find((name) => !present.some(([taken]) => taken === name));
        if (!pair || free === undefined) return;
        const from = pair[0];
        pair[0] = free;
        if (play.state.link.at === 'here') play.rename(pair[1], from, free);
      },
      () => {
        const pair = present[below(present.length + 1)];
        if (!pair) return;
        const before: Pair = [...pair];
        pair[1] = `s${++sessions}`;
        people.set(pair[1], person(before[1]));
        if (play.state.link.at === 'here') play.roster([pair], [before]);
      },
      () => {
        const sid = play.state.partner?.sid;
        if (sid === undefined || !namesake(play.state)) return;
        const found = present.find(([, there]) => person(there) === person(sid));
        play.do({ type: 'met', sid, person: found ? { sid: found[1], name: found[0] } : null });
      },
      () => play.do({ type: 'cut' }),
      enter,
      () => {
        if (play.state.link.at !== 'here') return;
        rooms = rooms === 'den' ? 'lodge' : 'den';
        present = [];
        join();
        enter();
      },
      () => play.reload(),
      () => {
        play.write(`/${label(targetOf(play.state))}`, `c${++sent}`);
        if (below(2) === 0) play.end();
      },
      () => {
        play.do({ type: 'commanded', ack: below(3) ? null : { ok: true } });
      },
      () => {
        const failed = play.state.items.find((item) => (item.kind === 'said' || item.kind === 'whisper') && item.fate === 'failed');
        if (failed) play.do({ type: 'retry', key: failed.key, cid: `c${++sent}` });
      },
      () => {
        const out = nextOut(play.state);
        if (!out) return;
        play.sent(out.cid!);
        // A refused command may stand among the lines of a draft.
        const texts = out.text.split('\n').map((text) => text.replace(/^\//, ''));
        if (out.kind === 'said') for (const text of texts) expect(text).toBe(`for all in ${play.state.room}`);
        else {
          for (const text of texts) {
            const reached = new Set([person(text.slice('for '.length))]);
            for (const one of reached) for (const heir of heirs.get(one) ?? []) reached.add(heir);
            expect(reached).toContain(person(out.toSid));
          }
          if (!present.some(([, sid]) => person(sid) === person(out.toSid))) return void play.no(out.cid!, 'no_such_person');
        }
        const acks: (Ack | null)[] = [null, { ok: true }, { ok: false, code: 'unknown_command', msg: '' }];
        if (below(3) > 0) play.do({ type: 'answer', cid: out.cid!, ack: acks[below(3)]! });
      },
    ];
    let kept = 0;
    for (let turn = 0; turn < 600; turn++) {
      play.now += below(3);
      happenings[below(happenings.length)]!();
      kept = Math.max(kept, play.state.drafts.length);
    }
    expect([sent > 5, kept > 1]).toEqual([true, true]);
  });
});

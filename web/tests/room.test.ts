import { describe, expect, it } from 'vitest';
import { NO_ID } from '../src/state/timeline';
import { bar, mood, title, wakeAt } from '../src/state/view';
import { Play, START, entries, entry, id } from './help';

const here = () => new Play().enter();

describe('Entering', () => {
  it('gives a name, a token and who is here', () => {
    const play = new Play().enter({ username: 'fox', token: 't' }, { name_list: [['owl', 'o']] });
    expect([play.state.name, play.state.token, play.state.people.get('o'), play.state.count]).toEqual(['fox', 't', 'owl', 2]);
  });

  it('shows the history, and the user’s name after it', () => {
    expect(new Play().enter({ history: entries(1, 3) }).shown).toEqual(['m1', 'm2', 'm3', '[you_are]']);
  });

  it('an empty room shows nothing but the welcome', () => {
    expect(here().shown).toEqual([]);
  });

  it.each([
    ['alone', [], 'alone'],
    ['with others', [['fox', 'f']], 'company'],
  ] as const)('%s: %s', (_, others, expected) => {
    expect(mood(new Play().enter({}, { name_list: others.map(([name, sid]) => [name, sid]) }).state)).toBe(expected);
  });

  it('before it, there is no mood to show', () => {
    expect(mood(new Play().state)).toBe('opening');
  });

  it('has talk once there is a message', () => {
    expect(mood(here().hear(entry(1)).state)).toBe('talk');
    expect(mood(here().write('a').state)).toBe('talk');
  });

  it('what it may do is read from limits, and guessed where they are silent', () => {
    const limits = { text: 500, history_entries: 0, history_days: 3 };
    expect(new Play().enter({ limits }).state.limits).toEqual({ text: 500, name: 32, history: 0, days: 3 });
    expect(new Play().enter({ limits: undefined as never }).state.limits.text).toBe(2000);
  });
});

describe('Coming back', () => {
  const talk = () => new Play().enter({ history: entries(1, 3) }).hear(entry(4));
  const away = () => talk().do({ type: 'cut' }, 10);

  it('a short absence shows nothing', () => {
    expect(bar(away().do({ type: 'tick' }, 11.9).state)).toBeNull();
  });

  it('after two seconds the bar says so', () => {
    expect(bar(away().do({ type: 'tick' }, 12).state)).toEqual({ code: 'reconnecting' });
  });

  it('asks for what is after the last it knows', () => {
    expect(away().state.seen).toBe(id(4));
  });

  it('what was missed is caught up, in order, once, and counted', () => {
    const play = away().enter({ resumed: true, history: entries(5, 16) }, {}, 20);
    expect(play.said.map((item) => item.text)).toEqual(entries(1, 16).map((one) => one.msg));
    expect(bar(play.state)).toEqual({ code: 'back', count: 12 });
  });

  it('"Back" goes after a while', () => {
    const play = away().enter({ resumed: true, history: entries(5, 6) }, {}, 20);
    expect(bar(play.do({ type: 'tick' }, 24).state)).toBeNull();
  });

  it('a short absence without messages is not shown', () => {
    expect(bar(away().enter({ resumed: true }, {}, 10.5).state)).toBeNull();
  });

  it('a dead connection is reported as soon as it is noticed', () => {
    const play = new Play().enter({}, {}, 0);
    play.do({ type: 'cut', since: START + 8_000 }, 10);
    expect(bar(play.state)).toEqual({ code: 'reconnecting' });
    expect(bar(play.enter({ resumed: true }, {}, 10.1).state)).toEqual({ code: 'back', count: 0 });
  });

  it('a short absence with messages is shown', () => {
    expect(bar(away().enter({ resumed: true, history: entries(5, 5) }, {}, 10.5).state)).toEqual({ code: 'back', count: 1 });
  });

  it('the line "New" stands above the first that was missed', () => {
    expect(away().enter({ resumed: true, history: entries(5, 9) }, {}, 20).state.lineAt).toBe(id(5));
  });

  it('what overlaps is not shown or counted twice', () => {
    const play = away().enter({ resumed: true, history: entries(3, 6) }, {}, 20);
    expect([play.said.length, bar(play.state)]).toEqual([6, { code: 'back', count: 2 }]);
  });

  it('a gap is shown in its place, and older rows stay', () => {
    const play = away().enter({ resumed: true, gap: true, history: entries(50, 52) }, {}, 20);
    expect(play.shown.filter((line) => line !== '[you_are]')).toEqual(['m1', 'm2', 'm3', 'm4', '[gap]', 'm50', 'm51', 'm52']);
  });

  it('a first visit knows no gap', () => {
    expect(new Play().enter({ gap: true, history: entries(5, 6) }).shown).not.toContain('[gap]');
  });

  it('another name is shown', () => {
    const play = away().enter({ username: 'other' }, {}, 20);
    expect([play.state.name, play.shown.slice(-1)]).toEqual(['other', ['[you_are]']]);
  });

  it('the same name is not', () => {
    expect(away().enter({ resumed: true }, {}, 20).shown.filter((line) => line === '[you_are]')).toHaveLength(1);
  });

  it('from a room without messages', () => {
    const play = here().do({ type: 'cut' }, 10);
    expect(play.state.seen).toBe(NO_ID);
    expect(play.enter({ resumed: true, history: entries(1, 2) }, {}, 20).shown).toEqual(['m1', 'm2']);
    expect(bar(play.state)).toEqual({ code: 'back', count: 2 });
  });

  it('the people are replaced, without a line', () => {
    const play = new Play().enter({}, { name_list: [['fox', 'f']] }).do({ type: 'cut' }, 10).enter({ resumed: true }, { name_list: [['owl', 'o']] }, 20);
    expect([...play.state.people.values()]).toEqual(['owl', '阿狸']);
    expect(play.do({ type: 'tick' }, 100).shown).toEqual([]);
  });

  it('cut again and again, the absence counts from the first moment', () => {
    const play = away().do({ type: 'cut' }, 11).do({ type: 'cut' }, 11.5).do({ type: 'tick' }, 12);
    expect(bar(play.state)).toEqual({ code: 'reconnecting' });
  });

  describe('to more than one answer holds', () => {
    const long = () => away().enter({ resumed: true, history: entries(5, 204), more: true }, {}, 20);

    it('asks for the next page after the last', () => {
      expect(long().state.catchUp).toBe(id(204));
    });

    it('says "Back" when all is there', () => {
      const play = long();
      expect(bar(play.state)).toBeNull();
      play.do({ type: 'caught', entries: entries(205, 300), more: false });
      expect([play.state.catchUp, bar(play.state)]).toEqual([null, { code: 'back', count: 296 }]);
    });

    it('live frames stand after what is still missing', () => {
      const play = long().hear(entry(400)).do({ type: 'caught', entries: entries(205, 206), more: false });
      expect(play.said.slice(-3).map((item) => item.text)).toEqual(['m205', 'm206', 'm400']);
    });

    it('cut meanwhile, it goes on from where nothing is missing', () => {
      const play = long().hear(entry(400));
      expect(play.state.seen).toBe(id(204));
      expect(play.do({ type: 'cut' }).state.catchUp).toBeNull();
    });

    it('complete, it goes on from the newest', () => {
      const play = long().hear(entry(400)).do({ type: 'caught', entries: entries(205, 206), more: false });
      expect(play.state.seen).toBe(id(400));
    });

    it('an empty page ends it, whatever it says of more', () => {
      expect(long().do({ type: 'caught', entries: [], more: true }).state.catchUp).toBeNull();
    });
  });

  it('an ack does not move the point of return: frames before it may be on their way', () => {
    const play = talk().write('a').sent('a').ok('a', 9);
    expect(play.state.seen).toBe(id(4));
    expect(play.hear(entry(9, '阿狸', 'a', { sid: 'me', cid: 'a' })).state.seen).toBe(id(9));
  });
});

describe('Opening', () => {
  it.each([
    [0.9, null],
    [1, 'connecting'],
    [60, 'connecting'],
  ])('after %f s the bar says %s', (seconds, code) => {
    expect(bar(new Play().do({ type: 'tick' }, seconds).state)?.code ?? null).toBe(code);
  });

  it('wakes when it has something to say', () => {
    expect(wakeAt(new Play().state)).toBe(START + 1000);
  });

  it('a room at rest wakes for nothing', () => {
    expect(wakeAt(here().hear(entry(1)).state)).toBeNull();
  });
});

describe('An end that lasts', () => {
  it('being replaced', () => {
    const play = here().hear({ action: 'notice', username: '*', msg: 'm', code: 'replaced', time: '' });
    expect(play.state.link).toEqual({ at: 'shut', why: 'replaced' });
    expect(play.do({ type: 'cut' }).state.link.at).toBe('shut');
  });

  it.each(['room_full', 'room_invalid', 'origin', 'refused'])('refused: %s', (why) => {
    const play = new Play().do({ type: 'shut', why });
    expect([play.state.link.at, bar(play.do({ type: 'tick' }, 60).state)]).toEqual(['shut', null]);
  });

  it('one button brings one back, with what one had', () => {
    const play = here().hear(entry(1)).write('a').do({ type: 'shut', why: 'replaced' }).do({ type: 'again' });
    expect(play.state.link.at).toBe('opening');
    expect(play.enter({ resumed: true, history: entries(2, 3) }).shown).toEqual(['m1', 'm2', 'm3', 'a (sending)']);
  });
});

describe('Notices', () => {
  it.each(['/name wolf', '／NICK wolf', '/to fox psst', '/w fox psst'])('what has a row of its own is not answered as well: %s', (text) => {
    const play = here().do({ type: 'write', text, cid: 'c' }).hear({ action: 'notice', username: '*', msg: 'done', code: 'command', time: '' });
    expect(play.shown).toEqual([]);
    expect(play.do({ type: 'commanded', ack: { ok: true } }).hear({ action: 'notice', username: '*', msg: 'help', code: 'command', time: '' }).shown).toEqual(['[answer]']);
  });

  it('an answer to a command is shown in the server’s words', () => {
    expect(here().hear({ action: 'notice', username: '*', msg: 'help', code: 'command', time: '' }).shown).toEqual(['[answer]']);
  });

  it.each(['closing', 'rate_limited'])('%s needs no words', (code) => {
    expect(here().hear({ action: 'notice', username: '*', msg: 'x', code, time: '' }).shown).toEqual([]);
  });

  it('any other is shown as it is worded', () => {
    expect(here().hear({ action: 'notice', username: '*', msg: 'x', code: 'topic', time: '' }).shown).toEqual(['[answer]']);
  });
});

describe('A command with an unknown outcome', () => {
  const lost = () => here().do({ type: 'write', text: '/to fox psst', cid: 'a' }).do({ type: 'commanded', ack: null });

  it('is sent again as the same', () => {
    expect(lost().do({ type: 'write', text: '/to fox psst', cid: 'b' }).state.asking?.cid).toBe('a');
  });

  it.each([
    ['another', (play: Play) => play.do({ type: 'write', text: '/to fox else', cid: 'b' })],
    ['one that was changed', (play: Play) => play.do({ type: 'draft', target: { room: 'lobby', to: null }, text: 'x' }).do({ type: 'write', text: '/to fox psst', cid: 'b' })],
  ])('is not %s', (_, happen) => {
    const play = lost();
    happen(play);
    expect(play.state.asking?.cid).toBe('b');
  });
});

describe('Another room', () => {
  const moved = () => here().hear(entry(1)).roster([['fox', 'f']], []).write('late').enter({ history: entries(7, 8, 'owl') }, { room: 'den' });

  it('begins with that room’s talk and people', () => {
    const play = moved();
    expect([play.state.room, play.shown, play.state.people.size]).toEqual(['den', ['m7', 'm8', '[you_are]'], 1]);
  });

  it.each([
    ['by a command', (play: Play) => play.enter({ history: entries(7, 8, 'owl') }, { room: 'den' })],
    ['by its address', (play: Play) => play.do({ type: 'go', room: 'den' })],
  ])('what waits to be sent returns to its draft: %s', (_, move) => {
    const play = here().write('on its way').write('one').write('//two').sent('on its way');
    move(play.do({ type: 'draft', target: { room: 'lobby', to: null }, text: 'half' }));
    expect(play.state.drafts).toEqual([{ room: 'lobby', to: null, text: 'half' }, { room: 'lobby', to: null, text: 'one\n//two', back: 'aside' }]);
  });

  it('a whisper that waits returns to its own draft', () => {
    const play = here().roster([['fox', 'f']], []).do({ type: 'whisper_to', name: 'fox', sid: 'f' }).write('first').sent('first').write('//psst');
    play.enter({ history: [] }, { room: 'den' });
    expect(play.state.drafts).toEqual([{ room: 'lobby', to: { sid: 'f', name: 'fox' }, text: '//psst', back: 'here' }]);
  });

  it('unsent messages are not sent in another room', () => {
    expect(moved().said.map((item) => item.fate)).toEqual(['said', 'said']);
  });

  it('asks for what is after that room’s last', () => {
    expect(moved().state.seen).toBe(id(8));
  });
});

describe('Another room by the browser’s Back', () => {
  const gone = () =>
    here()
      .hear(entry(1))
      .write('late')
      .do({ type: 'draft', target: { room: 'lobby', to: null }, text: 'half' })
      .do({ type: 'go', room: 'den' });

  it('is joined as a page opened there by the same person', () => {
    const { state, shown } = gone();
    expect([state.room, state.link.at, state.token, state.seen, shown]).toEqual(['den', 'opening', 'token', NO_ID, []]);
  });

  it('receives no message meant for the other, which stays in its draft', () => {
    const play = gone().enter({ resumed: true, history: entries(7, 8, 'owl') }, { room: 'den' });
    expect(play.shown).toEqual(['m7', 'm8', '[you_are]']);
    expect(play.state.drafts).toEqual([{ room: 'lobby', to: null, text: 'half' }, { room: 'lobby', to: null, text: 'late', back: 'aside' }]);
  });
});

describe('Older messages', () => {
  const full = () => new Play().enter({ history: entries(51, 100) });

  it('are there to be asked for where there was any history', () => {
    expect([full().state.older, here().state.older]).toEqual(['more', 'none']);
  });

  it('stand before what is shown', () => {
    const play = full().do({ type: 'older_asked' }).do({ type: 'older', before: id(51), entries: entries(1, 50), more: false });
    expect(play.said.map((item) => item.text)).toEqual(entries(1, 100).map((one) => one.msg));
    expect(play.state.older).toBe('none');
  });

  it('leave the row that was first as it looked', () => {
    const play = full().do({ type: 'older', before: id(51), entries: entries(1, 50), more: true });
    expect(play.said.filter((item) => item.pinned).map((item) => item.text)).toEqual(['m51']);
  });

  it('are not new: nothing is unread', () => {
    expect(full().do({ type: 'visible', visible: false }).do({ type: 'older', before: id(51), entries: entries(1, 50), more: true }).state.unread).toBe(0);
  });

  it('that could not be had are asked for again', () => {
    expect(full().do({ type: 'older_asked' }).do({ type: 'older_failed' }).state.older).toBe('more');
  });

  it('an empty page is the beginning', () => {
    expect(full().do({ type: 'older', before: id(51), entries: [], more: true }).state.older).toBe('none');
  });

  it('asked for when the connection broke, are asked for again', () => {
    expect(full().do({ type: 'older_asked' }).do({ type: 'cut' }).state.older).toBe('more');
  });
});

describe('Names', () => {
  it('a person’s new name is shown and listed', () => {
    const play = here().roster([['fox', 'f']], []).hear({ action: 'rename', username: 'fox', to: 'wolf', sid: 'f', msg: '', time: '' });
    expect([play.state.people.get('f'), play.shown.slice(-1)]).toEqual(['wolf', ['[renamed]']]);
  });

  it('the user’s own is taken, and the token stays', () => {
    const { state } = here().hear({ action: 'rename', username: '阿狸', to: 'me2', sid: 'me', msg: '', time: '' });
    expect([state.name, state.token, state.people.get('me')]).toEqual(['me2', 'token', 'me2']);
  });

  it('the ack may bring the token', () => {
    expect(here().do({ type: 'renamed', ack: { ok: true, token: 'acked' } }).state.token).toBe('acked');
  });

  it('a refused one changes nothing', () => {
    const play = here();
    expect(play.do({ type: 'renamed', ack: { ok: false, code: 'name_taken', msg: '' } }).state.name).toBe('阿狸');
  });

  it('in a crowd only people who sent messages are shown', () => {
    const play = here().roster([['fox', 'f']], [], 0, 50);
    const rename = (from: string, to: string) => play.hear({ action: 'rename', username: from, to, sid: 'f', msg: '', time: '' });
    expect(rename('fox', 'wolf').shown).toEqual([]);
    play.hear(entry(1, 'wolf'));
    expect(rename('wolf', 'owl').shown).toEqual(['m1', '[renamed]']);
  });
});

describe('Typing', () => {
  const typing = (name: string) => ({ action: 'typing', username: name }) as const;

  it('is shown, and over after a while', () => {
    const play = here().hear(typing('fox'), 1);
    expect([...play.state.typing.keys()]).toEqual(['fox']);
    expect(play.do({ type: 'tick' }, 7).state.typing.size).toBe(0);
  });

  it('ends with the message', () => {
    expect(here().hear(typing('fox')).hear(entry(1, 'fox')).state.typing.size).toBe(0);
  });

  it('of the user is not shown', () => {
    expect(here().hear(typing('阿狸')).state.typing.size).toBe(0);
  });

  it('is bounded', () => {
    const play = here();
    for (let index = 0; index < 500; index++) play.hear(typing(`n${index}`));
    expect(play.state.typing.size).toBe(50);
  });
});

describe('The title', () => {
  it.each([
    ['nothing', () => here(), '大厅'],
    ['something unread', () => here().do({ type: 'visible', visible: false }).hear(entry(1)), '• 大厅'],
    ['spoken to', () => here().do({ type: 'visible', visible: false }).hear(entry(1, 'fox', '@阿狸')), '(1) 大厅'],
    ['seen', () => here().do({ type: 'visible', visible: false }).hear(entry(1, 'fox', '@阿狸')).do({ type: 'visible', visible: true }), '大厅'],
  ])('%s', (_, play, expected) => {
    expect(title(play().state, '大厅')).toBe(expected);
  });
});

it('time that goes back goes nowhere', () => {
  const play = here().do({ type: 'tick' }, 50).do({ type: 'tick' }, 10);
  expect(play.state.now).toBe(START + 50_000);
});

import { describe, expect, it } from 'vitest';
import { nextOut } from '../src/state/outbox';
import { MOST_IDS, MOST_ROOMS, packOwn, unpackOwn } from '../src/state/own';
import { begin } from '../src/state/reduce';
import { bar, rowsOf } from '../src/state/view';
import type { Entry } from '../src/wire';
import { Play, START, entries, entry, id, short } from './help';

/** The same tab after a reload, which keeps only what was packed. */
function reloaded(before: Play, room = before.state.room): Play {
  const after = new Play();
  after.state = begin(room, before.state.token, START, { partner: null, drafts: [], own: unpackOwn(packOwn(before.state.own)) });
  return after;
}

const mine = (play: Play): string[] => play.said.filter((item) => item.mine).map((item) => item.text);

/** A person whose message is the third of five. */
const spoke = (): Play => new Play().enter({ history: entries(1, 2) }).write('m3').sent('m3').ok('m3', 3);

describe("The user's own messages", () => {
  it.each([true, false])('are recognised after a reload, resumed: %s', (resumed) => {
    const after = reloaded(spoke()).enter({ history: entries(1, 5), resumed, username: resumed ? '阿狸' : 'owl' });
    expect(mine(after)).toEqual(['m3']);
  });

  it('are recognised in what is older', () => {
    const after = reloaded(spoke()).enter({ history: [entry(9)], more: true });
    after.do({ type: 'older', before: id(9), entries: entries(1, 5), more: false });
    expect(mine(after)).toEqual(['m3']);
  });

  it('are recognised when the frame came and the ack did not', () => {
    const before = new Play().enter().hear({ ...entry(3), sid: 'me' });
    expect(mine(reloaded(before).enter({ history: entries(1, 5) }))).toEqual(['m3']);
  });

  /** A message whose answer was lost. */
  const doubtful = (text: string) => new Play().enter({ history: [entry(1)] }).write(text, 'c').sent('c').do({ type: 'cut' }, 5);

  it.each(['own', '//own', '/say own'])('are neither missed nor new (%s)', (text) => {
    const msg = text === '//own' ? '/own' : 'own';
    const play = doubtful(text).enter({ resumed: true, history: [entry(2, '阿狸', msg), entry(3), entry(4)] }, {}, 20);
    expect([bar(play.state), play.state.lineAt, play.state.received, mine(play)]).toEqual([{ code: 'back', count: 2 }, id(3), 2, [msg, text]]);
    expect(mine(play.sent('c').ok('c', 2))).toEqual([msg]);
  });

  it('are neither missed nor new, alone in the room', () => {
    const play = doubtful('own').enter({ resumed: true, history: [entry(2, '阿狸', 'own')] }, {}, 20);
    expect([bar(play.state), play.state.lineAt, play.state.unread]).toEqual([{ code: 'back', count: 0 }, null, 0]);
  });

  it('are not another person’s messages with the same text', () => {
    const play = doubtful('own').enter({ resumed: true, history: [entry(2, 'fox', 'own')] }, {}, 20);
    expect([bar(play.state), play.state.lineAt]).toEqual([{ code: 'back', count: 1 }, id(2)]);
  });

  describe('with a lost answer', () => {
    const drawn = (play: Play) => rowsOf(play.state.items, null).flatMap((row) => (row.kind === 'item' && row.item.kind === 'said' ? [short(row.item)] : []));
    const back = (...history: Entry[]) => doubtful('own').enter({ resumed: true, history: [...history, entry(8)] }, {}, 20);
    const copy = (n: number) => entry(n, '阿狸', 'own');

    it('are shown once, from the replay on', () => {
      const play = back(copy(2));
      expect([drawn(play), nextOut(play.state)!.cid]).toEqual([['m1', 'own', 'm8'], 'c']);
      expect(drawn(play.sent('c').ok('c', 2))).toEqual(['m1', 'own', 'm8']);
    });

    it('are shown once when a later page of the replay has them', () => {
      const play = doubtful('own').enter({ resumed: true, history: [entry(2)], more: true }, {}, 20);
      play.do({ type: 'caught', entries: [copy(3)], more: false });
      expect([drawn(play), mine(play), play.state.back!.count]).toEqual([['m1', 'm2', 'own'], ['own', 'own'], 1]);
    });

    it('are shown apart from a stored one if the ack has another id', () => {
      expect(drawn(back(copy(2)).sent('c').ok('c', 5))).toEqual(['m1', 'own', 'own', 'm8']);
    });

    it('come back when they are refused', () => {
      const play = back(copy(2)).sent('c').no('c', 'too_long');
      expect(drawn(play)).toContain('own (failed)');
      expect(drawn(play.do({ type: 'retry', key: 'c', cid: 'd', text: 'own' }))).toContain('own (sending)');
    });

    it('are hidden by nothing that was there or known before', () => {
      expect(drawn(doubtful('own').enter({ resumed: true, gap: true, history: [copy(0), entry(1)] }, {}, 20))).toContain('own (sending)');
      const before = new Play().enter({ history: [entry(1)] }).write('own', 'b').sent('b').ok('b', 2).write('own', 'c').sent('c');
      expect(drawn(before.do({ type: 'cut' }, 5).enter({ resumed: true, history: [copy(2)] }, {}, 20))).toEqual(['m1', 'own', 'own (sending)']);
    });

    it('hide one message each', () => {
      const play = doubtful('own').write('own', 'd').enter({ resumed: true, history: [copy(2), copy(3)] }, {}, 20);
      expect([drawn(play), mine(play)]).toEqual([
        ['m1', 'own', 'own', 'own (sending)'],
        ['own', 'own', 'own'],
      ]);
    });

    it('are known after further cuts, until the answer', () => {
      const play = doubtful('own').enter({ resumed: true }, {}, 20).do({ type: 'cut' }, 25);
      expect(drawn(play.enter({ resumed: true, history: [copy(2)] }, {}, 30))).toEqual(['m1', 'own']);
      play.do({ type: 'cut' }, 35).enter({ resumed: true, history: [copy(3)] }, {}, 40);
      expect(drawn(play)).toEqual(['m1', 'own', 'own']);
      play.sent('c').ok('c', 2).do({ type: 'cut' }, 45).enter({ resumed: true, history: [copy(4)] }, {}, 50);
      expect(mine(play)).toEqual(['own']);
    });
  });

  it('are recognised in their room only', () => {
    const elsewhere = reloaded(spoke(), 'tea').enter({ history: entries(1, 5) }, { room: 'tea' });
    expect(mine(elsewhere)).toEqual([]);
    elsewhere.do({ type: 'go', room: 'LOBBY' }).enter({ history: entries(1, 5) });
    expect(mine(elsewhere)).toEqual(['m3']);
  });

  it('are forgotten from the oldest on', () => {
    const play = new Play().enter();
    for (let n = 1; n <= MOST_IDS + 1; n++) play.hear({ ...entry(n), sid: 'me' });
    expect(play.state.own[0]!.ids.size).toBe(MOST_IDS);
    expect(play.state.own[0]!.ids.has(id(1))).toBe(false);
    for (let n = 1; n <= MOST_ROOMS; n++) play.do({ type: 'go', room: `r${n}` }).enter({}, { room: `r${n}` }).hear({ ...entry(n), sid: 'me' });
    expect(play.state.own.map((one) => one.room)).toEqual(Array.from({ length: MOST_ROOMS }, (_, n) => `r${n + 1}`));
  });

  it.each(['', '{', 'null', '{}', '[1, [], [1], ["a", 2]]'])('are none where nothing sensible is stored: %s', (text) => {
    expect(unpackOwn(text)).toEqual([]);
  });
});
